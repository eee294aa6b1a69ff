"""A slow receiver waits among the slow; the prompt ones do not notice it."""

from __future__ import annotations

import asyncio

import pytest

from hanse.kit import fairness
from hanse.kit.fairness import Room
from tests.bounds import SOON

PROMPT = 0.2


async def work(room: Room, receiver: str, seconds: float, done: list[str]) -> None:
    async with room.place(receiver):
        await asyncio.sleep(seconds)
    done.append(receiver)


async def failing(room: Room, seconds: float) -> None:
    async with room.place("a"):
        await asyncio.sleep(seconds)
        raise KeyError


async def test_no_more_than_there_are_places_work_at_once() -> None:
    room, at_once, most = Room(3, 10), 0, 0

    async def counted(name: str) -> None:
        nonlocal at_once, most
        async with room.place(name):
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.001)
            at_once -= 1

    await asyncio.gather(*(counted(str(number)) for number in range(20)))
    assert (most, at_once) == (3, 0)


async def test_slow_receivers_delay_a_prompt_one_only_until_they_are_known() -> None:
    room, done = Room(2, PROMPT), list[str]()
    tasks = [asyncio.create_task(work(room, f"slow{number}", 60, done)) for number in range(6)]
    await asyncio.sleep(0)
    async with asyncio.timeout(SOON):
        await work(room, "prompt", 0, done)  # three rounds of two
        tasks += [asyncio.create_task(work(room, f"slow{number}", 60, done)) for number in range(6)]
        await asyncio.sleep(0)
        again = asyncio.create_task(work(room, "prompt", 0, done))
        for _ in range(5):
            await asyncio.sleep(0)
        assert again.done(), "this time they are known: it waits for nobody, and for no time"
    assert done == ["prompt", "prompt"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_slow_ones_work_in_turn_among_themselves() -> None:
    room, done = Room(1, PROMPT), list[str]()
    await asyncio.gather(*(work(room, name, 2 * PROMPT, done) for name in ("a", "b")))
    assert set(room._slow) == {"a", "b"}
    async with asyncio.timeout(SOON):
        await asyncio.gather(*(work(room, name, 2 * PROMPT, done) for name in ("a", "b")))
    assert done == ["a", "b"] * 2


async def test_who_is_prompt_again_is_treated_so_again() -> None:
    room, done = Room(1, PROMPT), list[str]()
    await work(room, "a", 2 * PROMPT, done)
    assert set(room._slow) == {"a"}
    await work(room, "a", 0, done)
    assert set(room._slow) == set()


async def test_places_come_back_whatever_becomes_of_the_work() -> None:
    room, done = Room(1, PROMPT), list[str]()
    for seconds in (0, 2 * PROMPT, 0):
        with pytest.raises(KeyError):
            await failing(room, seconds)
    task = asyncio.create_task(work(room, "a", 60, done))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(SOON):
        await work(room, "a", 0, done)
        await work(room, "b", 0, done)
    assert room._quick._value == room._patient._value == 1


async def test_receivers_that_were_slow_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "MOST_SLOW", 2)
    room = Room(1, PROMPT)
    for name in "abc":
        room.remember(name)
    assert list(room._slow) == ["b", "c"]
