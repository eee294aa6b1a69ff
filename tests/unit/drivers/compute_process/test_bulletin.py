"""No exit gets lost between the driver and the VIM."""

from __future__ import annotations

import asyncio

import pytest

from hanse.drivers.compute_process.bulletin import Bulletin
from hanse.refpoints.mm7 import WorkloadEvent, WorkloadState
from tests.bounds import SOON


def event(name: str) -> WorkloadEvent:
    return WorkloadEvent(instance_id=name, state=WorkloadState.EXITED)


async def read(bulletin: Bulletin, count: int) -> list[str]:
    found: list[str] = []
    async for one in bulletin.read():
        found.append(one.instance_id)
        if len(found) == count:
            break
    return found


async def test_events_come_in_their_order_also_those_before_the_reader() -> None:
    bulletin = Bulletin(lambda _: None)
    bulletin.post(event("a"))
    reading = asyncio.create_task(read(bulletin, 3))
    await asyncio.sleep(0)
    bulletin.post(event("b"))
    bulletin.post(event("c"))
    assert await reading == ["a", "b", "c"]


async def test_a_reader_that_failed_gets_its_event_again() -> None:
    told: list[str] = []
    bulletin = Bulletin(lambda one: told.append(one.instance_id))
    bulletin.post(event("a"))
    assert await read(bulletin, 1) == ["a"]
    assert told == []
    bulletin.post(event("b"))
    assert await read(bulletin, 2) == ["a", "b"]
    assert told == ["a"]


async def test_an_event_is_put_up_once_and_not_after_it_was_withdrawn() -> None:
    bulletin = Bulletin(lambda _: None)
    for name in ("a", "a", "b"):
        bulletin.post(event(name))
    bulletin.withdraw("a")
    assert await read(bulletin, 1) == ["b"]


async def test_a_reader_comes_to_its_end_when_the_driver_closes() -> None:
    bulletin = Bulletin(lambda _: None)
    reading = asyncio.create_task(read(bulletin, 1))
    await asyncio.sleep(0)
    bulletin.close()
    assert await asyncio.wait_for(reading, SOON) == []
    with pytest.raises(StopAsyncIteration):
        await anext(aiter(bulletin.read()))
