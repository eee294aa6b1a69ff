"""Watching journals live."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanse.kit.contract.observe import Message
from hanse.kit.telemetry.journal import Journal
from hanse.kit.telemetry.journal_file import JournalFile, encode, path_of
from hanse.kit.telemetry.live import Watch, live
from tests.bounds import SOON
from tests.unit.kit.telemetry.example import message


@pytest.fixture
def file(tmp_path: Path) -> Iterator[JournalFile]:
    file = JournalFile(path_of(tmp_path, "meo"), limit=10_000)
    file.append(encode(message("old")))
    yield file
    file.close()


@pytest.fixture
def watch(file: JournalFile) -> Iterator[Watch]:
    watch = Watch([file.path.parent])
    yield watch
    watch.close()


def spans(watch: Watch) -> list[str]:
    return [m.span for m in watch.poll()]


async def test_a_watcher_is_told_what_a_process_does_while_it_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll, looked = Watch.poll, threading.Event()

    def noted(watch: Watch) -> list[Message]:
        looked.set()
        return poll(watch)

    monkeypatch.setattr(Watch, "poll", noted)
    calls = live([tmp_path / "later"], period=0.01)
    first = asyncio.ensure_future(anext(calls))
    assert await asyncio.to_thread(looked.wait, SOON), "what is there before it looks is not told"
    with Journal(tmp_path / "later", "meo") as journal:
        journal.saw(message("1"))
        assert (await asyncio.wait_for(first, SOON)).span == "1"
        journal.saw(message("2"))
        assert (await asyncio.wait_for(anext(calls), SOON)).span == "2"
    await calls.aclose()


async def test_the_event_loop_goes_on_while_one_watches(tmp_path: Path) -> None:
    path_of(tmp_path, "meo").touch()
    calls = live([tmp_path], period=0.01)
    waiting = asyncio.ensure_future(anext(calls))
    for _ in range(20):
        await asyncio.wait_for(asyncio.sleep(0), SOON)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await calls.aclose()


def test_only_what_is_new_is_told(watch: Watch, file: JournalFile) -> None:
    assert spans(watch) == []
    file.append(encode(message("new")))
    assert spans(watch) == ["new"]
    assert spans(watch) == []


def test_a_line_is_told_when_it_is_whole(watch: Watch, file: JournalFile) -> None:
    line = encode(message("new"))
    file.append(line[:20])
    assert spans(watch) == []
    file.append(line[20:])
    assert spans(watch) == ["new"]


def test_a_rotation_hides_nothing(watch: Watch, file: JournalFile) -> None:
    file.append(encode(message("before")))
    file.limit = 1
    file.append(encode(message("after")))
    assert spans(watch) == ["before", "after"]


def test_a_process_that_starts_later_is_heard_from_its_first_call(watch: Watch, tmp_path: Path) -> None:
    path_of(tmp_path, "mep").write_bytes(encode(message("first")))
    assert spans(watch) == ["first"]


def test_a_journal_that_is_tidied_away_and_begun_again_is_followed(watch: Watch, file: JournalFile) -> None:
    file.path.unlink()
    assert spans(watch) == []
    file.append(encode(message("again")))
    assert spans(watch) == ["again"]


def test_a_call_is_told_once_however_many_of_its_ends_write_it_down(watch: Watch, file: JournalFile) -> None:
    file.append(encode(message("1")))
    assert spans(watch) == ["1"]
    file.append(encode(message("1", side="sender")) + encode(message("1", "south")))
    assert [m.operator for m in watch.poll()] == ["south"]


def test_calls_of_one_look_are_told_in_the_order_in_which_they_were_made(
    watch: Watch, file: JournalFile, tmp_path: Path
) -> None:
    file.append(encode(message("2", began=2.0)))
    path_of(tmp_path, "a").write_bytes(encode(message("3", began=3.0)))
    path_of(tmp_path, "z").write_bytes(encode(message("1", began=1.0)))
    assert spans(watch) == ["1", "2", "3"]


def test_the_memory_of_what_was_told_is_bounded(
    watch: Watch, file: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanse.kit.telemetry.live.REMEMBERED", 2)
    file.append(b"".join(encode(message(str(i))) for i in range(4)))
    watch.poll()
    file.append(encode(message("3")) + encode(message("0")))
    assert spans(watch) == ["0"]
