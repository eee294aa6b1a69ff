"""What a supervisor wrote can be relied on, also by a reader who comes at a bad moment."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from hanse.drivers.compute_process import record
from hanse.drivers.compute_process.processes import identify


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / record.LOCK).touch()
    return str(tmp_path)


def test_a_run_is_read_as_it_was_written(folder: str) -> None:
    run = record.Run(identify(os.getpid()), identify(os.getppid()))
    assert record.read_run(folder) is None
    record.write_run(folder, run)
    assert record.read_run(folder) == run


@pytest.mark.parametrize(
    ("wait_status", "ending"), [(3 << 8, {"exitCode": 3}), (0, {"exitCode": 0}), (signal.SIGSEGV, {"signal": 11})]
)
def test_an_exit_tells_a_code_from_a_signal(folder: str, wait_status: int, ending: dict[str, int]) -> None:
    record.begin(folder)
    record.write_exit(folder, wait_status)
    found = record.read(os.path.join(folder, record.EXIT))
    assert found.pop("at") > 1e9
    assert found == ending


def test_a_new_run_forgets_the_last(folder: str) -> None:
    record.begin(folder)
    record.write_run(folder, record.Run(identify(1), identify(1)))
    record.write_exit(folder, 0)
    record.begin(folder)
    assert record.read_run(folder) is None
    assert record.read(os.path.join(folder, record.EXIT)) is None


def test_a_file_that_a_power_cut_damaged_is_as_none(folder: str) -> None:
    Path(folder, record.RUN).write_bytes(b"\0" * 100)
    assert record.read_run(folder) is None


def test_a_write_that_fails_leaves_the_old_content_and_no_draft(folder: str) -> None:
    os.mkdir(os.path.join(folder, "taken"))
    with pytest.raises(OSError, match="directory"):
        record.write(os.path.join(folder, "taken"), b"x")
    assert sorted(os.listdir(folder)) == ["lock", "taken"]


def test_only_one_holds_the_lock(folder: str) -> None:
    with record.locked(folder) as first:
        assert first
        with record.locked(folder) as second:
            assert not second
    with record.locked(folder) as third:
        assert third


def test_the_lock_of_a_deleted_instance_is_worth_nothing(folder: str) -> None:
    lock = Path(folder, record.LOCK)
    descriptor = os.open(lock, os.O_RDWR)
    lock.unlink()
    assert not record._take(descriptor, str(lock))
    lock.touch()  # made anew under the same name
    assert not record._take(descriptor, str(lock))
    os.close(descriptor)
    lock.unlink()
    with record.locked(folder) as ours:
        assert not ours
