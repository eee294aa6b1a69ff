"""Whatever an element has to tell is told: in order, at least once, and to one receiver whatever another does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.kit import outbox as outbox_module
from hanse.kit.contract.call import Call, _current, continuing
from hanse.kit.outbox import NEVER, Outbox
from hanse.kit.outbox_lanes import Event
from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.kit.store_file import Rows
from hanse.kit.values import Value
from tests.bounds import SOON


class News(Value):
    number: int


class Receiver:
    """Takes news; a lane of its own list of problems is told them first."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.tried: list[int] = []
        self.problems: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.calls: list[Call | None] = []

    async def take(self, body: bytes) -> None:
        number = msgspec.json.decode(body, type=News).number
        self.tried.append(number)
        self.calls.append(_current.get())
        await self.gate.wait()
        if self.problems:
            raise self.problems.pop(0)
        self.taken.append(number)


class Post:
    """A store and its outbox, with one receiver a topic."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.store = Store(path)
        self.outbox = Outbox(self.store, **options)
        self.ann, self.bob = Receiver(), Receiver()
        self.outbox.handle("ann", self.ann.take)
        self.outbox.handle("bob", self.bob.take)

    async def tell(self, topic: str, *numbers: int, lane: str = "") -> None:
        for number in numbers:
            await self.store.commit(lambda tx, n=number: self.outbox.emit(tx, topic, lane or topic, News(number=n)))  # type: ignore[misc]

    async def close(self) -> None:
        await self.outbox.close()
        self.store.close()

    @property
    def waiting(self) -> int:
        return len(self.outbox._events)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "FIRST_PAUSE", 0.005)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    post = Post(tmp_path / "store.db")
    await post.outbox.start()
    yield post
    await post.close()


async def test_news_arrive_in_the_order_in_which_they_were_decided(post: Post) -> None:
    generator = random.Random(5)
    post.ann.problems = [Problem(503, "Busy")] * 5
    await asyncio.gather(*(post.tell(generator.choice(["ann", "bob"]), n) for n in range(200)))
    await until(lambda: post.waiting == 0)
    assert post.ann.taken == sorted(post.ann.taken)
    assert post.bob.taken == sorted(post.bob.taken)
    assert sorted(post.ann.taken + post.bob.taken) == list(range(200))


async def test_a_slow_receiver_delays_nobody_else(post: Post) -> None:
    post.ann.gate.clear()
    await post.tell("ann", 1, 2)
    await post.tell("bob", 3, 4)
    await until(lambda: post.bob.taken == [3, 4] and post.waiting == 2)
    assert (post.ann.tried, post.ann.taken) == ([1], [])
    post.ann.gate.set()
    await until(lambda: post.ann.taken == [1, 2])


async def test_what_was_decided_against_is_not_told(post: Post) -> None:
    def decide(tx: Any) -> None:
        post.outbox.emit(tx, "ann", "ann", News(number=1))
        raise Problem(409, "No")

    with pytest.raises(Problem):
        await post.store.commit(decide)
    await post.tell("ann", 2)
    await until(lambda: post.ann.taken == [2])


@pytest.mark.parametrize("trouble", [Problem(500, "x"), Problem(503, "x"), Problem(429, "x"), KeyError("x")])
async def test_a_receiver_that_fails_is_told_again(post: Post, trouble: Exception) -> None:
    post.ann.problems = [trouble, trouble]
    await post.tell("ann", 1, 2)
    await until(lambda: post.waiting == 0)
    assert (post.ann.tried, post.ann.taken) == ([1, 1, 1, 2], [1, 2])


async def test_pauses_grow_to_a_bound(monkeypatch: pytest.MonkeyPatch, post: Post) -> None:
    monkeypatch.setattr(outbox_module, "LONGEST_PAUSE", 0.02)
    pauses = outbox_module._pauses()
    seen = [next(pauses) for _ in range(6)]
    bounds = [0.005, 0.01, 0.02, 0.02, 0.02, 0.02]
    assert all(0.8 * b <= s <= 1.2 * b for s, b in zip(seen, bounds, strict=True))


@pytest.mark.parametrize("status", [400, 404, 410])
async def test_a_refusal_for_good_is_not_repeated(post: Post, status: int) -> None:
    post.ann.problems = [Problem(status, "No such subscription")]
    await post.tell("ann", 1, 2)
    await until(lambda: post.waiting == 0)
    assert (post.ann.tried, post.ann.taken) == ([1, 2], [2])


async def test_what_nobody_takes_is_given_up_some_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Post(tmp_path / "store.db")
    await post.outbox.start()
    post.ann.problems = [Problem(503, "Busy")] * 1000
    await post.tell("ann", 1)
    await until(lambda: len(post.ann.tried) > 1)  # however long the disk took to keep it
    monkeypatch.setattr(post.outbox, "_give_up_after", 0.0)
    await until(lambda: post.waiting == 0)
    post.ann.problems = []
    await post.tell("ann", 2)
    await until(lambda: post.ann.taken == [2])
    await post.close()


async def test_what_is_needed_however_late_is_never_given_up(tmp_path: Path) -> None:
    post = Post(tmp_path / "store.db", give_up_after=0.05)
    post.outbox.handle("ann", post.ann.take, give_up_after=NEVER)
    await post.outbox.start()
    post.ann.problems = [Problem(503, "Busy")] * 1000
    post.bob.problems = [Problem(503, "Busy")] * 1000
    await post.tell("ann", 1)
    await post.tell("bob", 2)
    await until(lambda: post.waiting == 1 and len(post.ann.tried) > 3)
    post.ann.problems = []
    await until(lambda: post.waiting == 0)
    assert (post.ann.taken, post.bob.taken) == ([1], [])
    await post.close()


async def test_what_was_not_told_is_told_after_a_restart(tmp_path: Path) -> None:
    first = Post(tmp_path / "store.db")
    await first.tell("ann", 1, 2)  # before its start
    await first.outbox.start()
    first.ann.gate.clear()
    await first.tell("ann", 3)
    await first.tell("bob", 4)
    await until(lambda: first.bob.taken == [4])
    await first.close()
    again = Post(tmp_path / "store.db")
    await again.tell("ann", 5)
    await again.outbox.start()
    await until(lambda: again.waiting == 0)
    assert (first.ann.taken, again.ann.taken, again.bob.taken) == ([], [1, 2, 3, 5], [])
    await again.close()


async def test_a_receiver_that_is_gone_gets_nothing_more(post: Post) -> None:
    post.ann.problems = [Problem(503, "Busy")] * 1000
    await post.tell("ann", 1, 2, 3)
    await post.tell("bob", 4)
    await post.store.commit(lambda tx: post.outbox.forget(tx, "ann"))
    await until(lambda: post.waiting == 0 and post.bob.taken == [4])
    post.ann.problems = []
    await post.tell("ann", 5)
    await until(lambda: post.ann.taken == [5])


async def test_who_takes_nothing_has_no_more_kept_than_there_is_room_for_and_the_latest_of_it(post: Post) -> None:
    post.ann.gate.clear()
    await post.outbox.start()
    for number in range(50):
        await post.store.commit(lambda tx, n=number: post.outbox.emit(tx, "ann", "ann", News(number=n), most=5))  # type: ignore[misc]
    await post.tell("bob", 1, 2, 3)
    assert len(post.outbox.waiting("ann")) == 5
    under_way = post.outbox._lanes.first("ann")
    assert under_way is not None
    assert under_way.event_id in post.outbox._events, "what is under way stays"
    post.ann.gate.set()
    await until(lambda: post.ann.taken == [0, 46, 47, 48, 49] and post.bob.taken == [1, 2, 3])
    await until(lambda: not len(post.outbox._events))


async def test_many_that_come_at_once_are_bounded_soon_after(post: Post) -> None:
    post.ann.gate.clear()
    await post.outbox.start()
    for _ in range(4):
        emits = [
            post.store.commit(lambda tx, n=n: post.outbox.emit(tx, "ann", "ann", News(number=n), most=5))  # type: ignore[misc]
            for n in range(20)
        ]
        await asyncio.gather(*emits)
    assert len(post.outbox.waiting("ann")) <= 5 + 20
    post.ann.gate.set()
    await until(lambda: not len(post.outbox._events))
    assert post.ann.taken[-1] == 19


async def test_a_full_disk_does_not_silence_a_lane(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    write, failures = post.store._file.write, [True]

    def full(rows: Rows) -> None:
        if failures and any(not isinstance(value, Event) for value in rows.values()):  # a removal
            failures.pop()
            raise OSError(28, "No space left on device")
        write(rows)

    monkeypatch.setattr(post.store._file, "write", full)
    await post.tell("ann", 1)
    await until(lambda: post.waiting == 0)
    await post.tell("ann", 2)
    await until(lambda: post.waiting == 0)
    assert (post.ann.taken, failures) == ([1, 2], [])


async def test_news_are_told_although_their_author_went_away(post: Post) -> None:
    task = asyncio.create_task(post.tell("ann", 1))
    await asyncio.sleep(0)
    task.cancel()
    await until(lambda: post.ann.taken == [1])


async def test_the_deadline_of_their_author_does_not_bind_the_messenger(post: Post) -> None:
    with continuing(patience=0.01, idempotency_key="mine"):
        await post.tell("ann", 1)
    await until(lambda: post.ann.taken == [1])
    assert post.ann.calls == [None]


async def test_news_of_an_unknown_kind_wait_for_their_handler(post: Post) -> None:
    carl = Receiver()
    await post.tell("carl", 1)
    await asyncio.sleep(0.02)
    post.outbox.handle("carl", carl.take)
    await until(lambda: carl.taken == [1])


async def test_an_idle_outbox_holds_nothing(post: Post) -> None:
    await post.tell("ann", *range(20))
    await until(lambda: post.waiting == 0)
    await until(lambda: (len(post.outbox._lanes), post.outbox._tasks) == (0, {}))


async def test_what_was_delivered_together_leaves_the_disk_together(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, writes = post.store._file.write, []

    def counted(rows: Rows) -> None:
        writes.append(len(rows))
        write(rows)

    monkeypatch.setattr(post.store._file, "write", counted)

    def decide(tx: Any) -> None:
        for number in range(500):
            post.outbox.emit(tx, "ann", f"lane {number}", News(number=number))

    await post.store.commit(decide)
    await until(lambda: post.waiting == 0)
    assert sum(writes) == 1000  # each was written once and removed once
    assert len(writes) < 20
    assert len(post.ann.taken) == 500


async def test_a_crash_repeats_one_event_of_a_lane_and_no_more(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = asyncio.Event()
    remove = post.outbox._done._remove

    async def held(events: list[Event]) -> None:
        await removed.wait()
        await remove(events)

    monkeypatch.setattr(post.outbox._done, "_remove", held)
    await post.tell("ann", 1, 2)
    await until(lambda: post.ann.taken == [1])
    await asyncio.sleep(0.05)
    assert post.ann.tried == [1]  # a crash now would repeat 1, and 2 only after it
    removed.set()
    await until(lambda: post.ann.taken == [1, 2] and post.waiting == 0)


async def test_an_outbox_that_is_closed_while_the_disk_is_full_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanse.kit.outbox_removal.CLOSE_PATIENCE", 0.05)
    post = Post(tmp_path / "store.db")
    await post.outbox.start()
    await post.tell("ann", 1)

    def full(_rows: Rows) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(post.store._file, "write", full)
    await until(lambda: post.ann.taken == [1])
    async with asyncio.timeout(SOON):
        await post.outbox.close()
    post.store.close()
    again = Post(tmp_path / "store.db")
    assert again.waiting == 1
    again.store.close()
