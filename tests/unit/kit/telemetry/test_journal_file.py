"""The files of a journal: bounded, and whole lines after any crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanse.kit.telemetry.journal_file import JournalFile, decode, encode, files_in, path_of
from hanse.kit.telemetry.reader import read
from tests.unit.kit.telemetry.example import message


@pytest.mark.parametrize("torn", [b'{"operator":"nor', b"\x00\x00\x00", b'{"trace": 1}', b"[" * 100_000, b'"\xff"'])
def test_a_line_torn_by_a_crash_is_skipped_and_spoils_no_other(tmp_path: Path, torn: bytes) -> None:
    path = path_of(tmp_path, "meo")
    path.write_bytes(encode(message("before")) + torn)
    file = JournalFile(path, limit=10_000_000)
    file.append(encode(message("after")))
    file.close()
    assert [m.span for m in read([tmp_path])] == ["before", "after"]


def test_a_journal_of_a_later_version_can_be_read() -> None:
    line = encode(message("1")).replace(b"{", b'{"novelty":[1],', 1)
    assert decode(line) == message("1")


def test_a_journal_never_grows_beyond_two_files_of_the_limit(tmp_path: Path) -> None:
    line = encode(message("x"))
    limit = 10 * len(line)
    file = JournalFile(path_of(tmp_path, "meo"), limit)
    for i in range(100):
        file.append(encode(message(str(i % 10))))
        assert all(path.stat().st_size <= limit for path in tmp_path.iterdir())
    file.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["meo.jsonl", "meo.jsonl.1"]


def test_after_a_rotation_the_older_messages_are_still_read(tmp_path: Path) -> None:
    file = JournalFile(path_of(tmp_path, "meo"), limit=3 * len(encode(message("1"))))
    for i in range(5):
        file.append(encode(message(str(i), began=float(i))))
    file.close()
    assert [m.span for m in read([tmp_path])] == ["0", "1", "2", "3", "4"]


def test_journals_whose_names_resemble_each_other_do_not_mix(tmp_path: Path) -> None:
    for name in ("mep", "mep.1", "mep.jsonl"):
        file = JournalFile(path_of(tmp_path, name), limit=1)
        file.append(encode(message(f"{name} a")))
        file.append(encode(message(f"{name} b")))
        file.close()
    assert len(read([tmp_path])) == 6


def test_a_journal_that_was_tidied_away_begins_again(tmp_path: Path) -> None:
    path = path_of(tmp_path, "meo")
    file = JournalFile(path, limit=10_000)
    file.append(encode(message("gone")))
    path.unlink()
    file.append(encode(message("here")))
    file.close()
    assert [m.span for m in read([tmp_path])] == ["here"]


def test_newer_files_are_read_before_older_so_that_a_rotation_hides_nothing(tmp_path: Path) -> None:
    for name in ("b.jsonl.1", "a.jsonl.1", "b.jsonl", "a.jsonl", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in files_in(tmp_path)] == ["a.jsonl", "b.jsonl", "a.jsonl.1", "b.jsonl.1"]


def test_others_cannot_read_or_write_a_journal(tmp_path: Path) -> None:
    file = JournalFile(path_of(tmp_path, "meo"), limit=10_000)
    file.append(encode(message()))
    file.close()
    assert path_of(tmp_path, "meo").stat().st_mode & 0o007 == 0
