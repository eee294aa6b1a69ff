"""Thousands of events for one receiver that takes none cost nobody anything but memory, and are gone when it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hanse.kit import outbox as outbox_module
from hanse.kit.problems import Problem
from hanse.kit.store import Shelf, Transaction
from tests.unit.kit.test_outbox import News, Post, until

MANY = 3000


@pytest.fixture
async def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    monkeypatch.setattr(outbox_module, "FIRST_PAUSE", 0.005)
    post = Post(tmp_path / "store.db")
    yield post
    await post.close()


async def pile_up(post: Post, lane: str, count: int, most: int = 0) -> None:
    """Have so many events wait, decided one by one and on the disk together."""
    emits = [
        post.store.commit(lambda tx, n=n: post.outbox.emit(tx, "ann", lane, News(number=n), most))  # type: ignore[misc]
        for n in range(count)
    ]
    await asyncio.gather(*emits)


def forbid_looks_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> Any:
        raise AssertionError("all events were looked at")

    for kind, names in ((Shelf, ("values", "items")), (Transaction, ("values", "items"))):
        for name in names:
            monkeypatch.setattr(kind, name, refused)


async def forget(post: Post, lane: str) -> None:
    await post.store.commit(lambda tx: post.outbox.forget(tx, lane))


async def test_who_subscribes_or_leaves_does_not_look_through_what_waits_for_others(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.ann.gate.clear()
    await post.outbox.start()
    await pile_up(post, "dead", MANY)
    await pile_up(post, "gone", 5)
    forbid_looks_at_all(monkeypatch)
    await forget(post, "gone")
    await pile_up(post, "dead", 3, most=MANY + 10)
    await forget(post, "nobody")
    monkeypatch.undo()
    assert {event.lane for event in post.outbox._events.values()} == {"dead"}
    assert post.waiting == MANY + 3


async def test_a_lane_is_forgotten_also_before_delivery_begins(post: Post) -> None:
    await pile_up(post, "gone", 5)
    await pile_up(post, "there", 2)
    await forget(post, "gone")
    await post.outbox.start()
    await until(lambda: post.waiting == 0)
    assert post.ann.tried == [0, 1]


async def test_what_is_decided_and_forgotten_at_once_is_not_told(post: Post) -> None:
    await post.outbox.start()

    def decide(tx: Transaction) -> None:
        post.outbox.emit(tx, "ann", "gone", News(number=1))
        post.outbox.forget(tx, "gone")
        post.outbox.emit(tx, "ann", "gone", News(number=2))

    await post.store.commit(decide)
    await until(lambda: post.waiting == 0)
    assert post.ann.taken == [2]


async def test_a_forgotten_lane_is_over_at_once_however_much_waited_in_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.ann.problems = [Problem(503, "Busy")] * 10_000
    await post.outbox.start()
    await pile_up(post, "dead", MANY)
    removals: list[int] = []
    remove = post.outbox._done._remove

    async def counted(events: list[Any]) -> None:
        removals.append(len(events))
        await remove(events)

    monkeypatch.setattr(post.outbox._done, "_remove", counted)
    await forget(post, "dead")
    await until(lambda: len(post.outbox._lanes) == 0)
    assert (removals, post.waiting) == ([1], 0), "one was under way, the others were never begun"


async def test_a_lane_that_is_full_is_told_of_once_and_when_it_has_room_again(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hanse.outbox")
    post.ann.gate.clear()
    await post.outbox.start()
    for lane in ("one", "two"):
        for _ in range(6):
            await pile_up(post, lane, 1, most=3)
    full = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [message.partition(",")[0] for message in full] == ["3 events wait for one", "3 events wait for two"]
    caplog.clear()
    post.ann.gate.set()
    await until(lambda: len(post.outbox._lanes) == 0)
    told = sorted(record.getMessage() for record in caplog.records)
    assert told == [f"{lane} has room again; 3 events were not told to it" for lane in ("one", "two")]
    caplog.clear()
    post.ann.gate.clear()
    for _ in range(4):
        await pile_up(post, "one", 1, most=3)
    assert [record.levelname for record in caplog.records] == ["WARNING"], "full anew, told of anew"
    post.ann.gate.set()


async def test_a_receiver_that_takes_nothing_keeps_nothing_waiting_longer_than_the_stated_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "FIRST_PAUSE", 0.05)
    post = Post(tmp_path / "deaf.db", give_up_after=0.3)
    post.ann.problems = [Problem(503, "Busy")] * 10_000
    await pile_up(post, "deaf", 500)
    await asyncio.sleep(0.3)
    await post.outbox.start()
    await until(lambda: len(caplog.records) == 2)
    await pile_up(post, "deaf", 1)
    await until(lambda: len(post.outbox._lanes) == 0)
    assert set(post.ann.tried) == {0, 1}, "the last has the number of the first, and its own time"
    words = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert words == ["ann to deaf given up", "ann to deaf given up with 498 more", "ann to deaf given up"]
    assert (post.waiting, post.outbox._lanes._deaf) == (0, set())
    await post.close()


async def test_one_event_that_its_receiver_cannot_take_takes_no_other_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "FIRST_PAUSE", 0.05)
    post = Post(tmp_path / "picky.db", give_up_after=0.3)

    async def take(body: bytes) -> None:
        if b'"number":0' in body or b'"number":2' in body:
            raise Problem(500, "It stumbles over that")
        await post.ann.take(body)

    post.outbox.handle("ann", take)
    await pile_up(post, "picky", 4)
    await asyncio.sleep(0.3)
    await post.outbox.start()
    await until(lambda: post.waiting == 0)
    assert post.ann.taken == [1, 3], "however late"
    await post.close()


async def test_a_lane_with_room_is_not_told_of(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hanse.outbox")
    post.ann.gate.clear()
    await post.outbox.start()
    for _ in range(3):
        await pile_up(post, "one", 1, most=3)
    post.ann.gate.set()
    await until(lambda: len(post.outbox._lanes) == 0)
    assert caplog.records == []
