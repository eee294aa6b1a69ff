"""Reading the journals of several processes and operators as one story."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from hanse.kit.contract.observe import Message
from hanse.kit.problems import Problem
from hanse.kit.telemetry.join import Crossing
from hanse.kit.telemetry.journal_file import encode
from hanse.kit.telemetry.procedures import procedures
from hanse.kit.telemetry.reader import read
from tests.unit.kit.telemetry.example import message, north, south


def write(path: Path, messages: Iterable[Message]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(encode(m) for m in messages))


def test_two_operators_journals_tell_one_procedure(tmp_path: Path) -> None:
    write(tmp_path / "north" / "all.jsonl", north())
    write(tmp_path / "south" / "fm.jsonl", south()[:1])
    write(tmp_path / "south" / "mep.jsonl", south()[1:])
    (procedure,) = procedures(read([tmp_path / "south", tmp_path / "north"]))
    assert [(m.sender, m.receiver) for m in procedure.messages] == [("oss", "meo"), ("meo", "fm"), ("fm", "mep.quay")]
    assert isinstance(procedure.messages[1], Crossing)


def test_without_the_partners_journals_its_part_is_simply_not_told(tmp_path: Path) -> None:
    write(tmp_path / "north" / "all.jsonl", north())
    (procedure,) = procedures(read([tmp_path / "north"]))
    assert [m.receiver for m in procedure.messages] == ["meo", "south"]


def test_a_call_that_both_of_its_ends_wrote_down_is_told_once(tmp_path: Path) -> None:
    write(tmp_path / "d" / "oss.jsonl", [message("1", side="sender")])
    write(tmp_path / "d" / "meo.jsonl", [message("1")])
    assert read([tmp_path / "d"]) == [message("1")]


def test_messages_are_told_in_the_order_of_time_across_files(tmp_path: Path) -> None:
    write(tmp_path / "d" / "a.jsonl", [message("3", began=3), message("1", began=1)])
    write(tmp_path / "d" / "b.jsonl", [message("2", began=2)])
    assert [m.span for m in read([tmp_path / "d"])] == ["1", "2", "3"]


def test_the_same_directory_given_twice_tells_nothing_twice(tmp_path: Path) -> None:
    write(tmp_path / "d" / "a.jsonl", [message("1")])
    assert len(read([tmp_path / "d", tmp_path / "d"])) == 1


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"No journals in .*nowhere: give the telemetry directory"):
        read([tmp_path / "nowhere"])


def test_a_journal_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").mkdir()
    with pytest.raises(Problem, match=r"odd\.jsonl cannot be read"):
        read([tmp_path])


def test_a_journal_rotated_away_during_the_reading_does_not_end_it(tmp_path: Path) -> None:
    write(tmp_path / "d" / "a.jsonl", [message("1")])
    (tmp_path / "d" / "b.jsonl").symlink_to(tmp_path / "gone")
    assert [m.span for m in read([tmp_path / "d"])] == ["1"]
