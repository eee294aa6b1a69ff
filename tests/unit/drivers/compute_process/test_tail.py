"""What an app said last can be read, and what it said before does not fill the disk."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from hanse.drivers.compute_process.tail import Tail, last


@pytest.mark.parametrize("keep", [1, 7, 10, 100])
@pytest.mark.parametrize("size", [1, 3, 9, 10, 11, 500])
def test_the_last_bytes_are_there_whatever_the_sizes(tmp_path: Path, keep: int, size: int) -> None:
    path = str(tmp_path / "output.log")
    tail, said = Tail(path, keep), b""
    for number in range(30):
        chunk = bytes([65 + number]) * size
        tail.write(chunk)
        said += chunk
        assert last(path, keep) == said[-keep:]
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2 * keep


def test_a_later_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    path = str(tmp_path / "output.log")
    Tail(path, 100).write(b"first ")
    Tail(path, 100).write(b"second")
    assert last(path, 100) == b"first second"


def test_an_app_whose_output_is_not_kept_leaves_none(tmp_path: Path) -> None:
    path = str(tmp_path / "output.log")
    Tail(path, 0).write(b"x")
    assert last(path, 0) == b""
    assert list(tmp_path.iterdir()) == []


def test_an_app_that_said_nothing_has_no_output(tmp_path: Path) -> None:
    assert last(str(tmp_path / "output.log"), 10) == b""


def test_output_without_room_is_lost_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.symlink_to("/dev/full")
    tail = Tail(str(path), 100)
    tail.write(b"lost")
    path.unlink()
    tail.write(b"kept")
    assert last(str(path), 100) == b"kept"


def test_reading_while_it_is_written_shows_no_gap(tmp_path: Path) -> None:
    path, keep = str(tmp_path / "output.log"), 4096
    tail, over = Tail(path, keep), threading.Event()

    def count() -> None:
        for number in range(20_000):
            tail.write(b"%06d\n" % number)
        over.set()

    writer = threading.Thread(target=count)
    writer.start()
    while not over.is_set():
        content = last(path, keep)
        numbers = [int(line) for line in content.split(b"\n")[1:-1]]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
        # Until the first segment is full there is less, and what there is begins with the beginning.
        assert len(content) == keep or content[:7] in (b"", b"000000\n")
    writer.join()
    assert os.path.exists(path)
