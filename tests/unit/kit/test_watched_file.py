"""A file that is changed while everything runs is read again at the next look, and not before it was changed."""

from __future__ import annotations

import os
from pathlib import Path

from hanse.kit.watched_file import WatchedFile


def test_the_first_look_reads_and_the_next_finds_nothing_new(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("one")
    file = WatchedFile(path)
    assert (file.changed(), file.content, file.changed()) == (True, b"one", False)


def test_a_file_put_in_its_place_is_seen_even_if_size_and_time_are_the_same(tmp_path: Path) -> None:
    path, other = tmp_path / "secret", tmp_path / "other"
    path.write_text("one")
    file = WatchedFile(path)
    file.changed()
    other.write_text("two")
    before = path.stat()
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert (file.changed(), file.content) == (True, b"two")


def test_a_file_that_goes_and_comes_back_is_seen_both_times(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    file = WatchedFile(path)
    assert (file.changed(), file.content, file.changed()) == (True, None, False)
    path.write_text("here")
    assert (file.changed(), file.content) == (True, b"here")
    path.unlink()
    assert (file.changed(), file.content, file.changed()) == (True, None, False)
