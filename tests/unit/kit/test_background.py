"""Work in the background ends when it is told to, and a failure of it is not lost."""

from __future__ import annotations

import asyncio

import pytest

from hanse.kit.background import Background


async def forever(seen: list[str]) -> None:
    seen.append("begun")
    try:
        await asyncio.sleep(60)
    finally:
        seen.append("ended")


async def test_work_goes_on_until_it_is_stopped_and_is_over_then() -> None:
    seen: list[str] = []
    background = Background()
    background.start(forever(seen))
    await asyncio.sleep(0)
    assert seen == ["begun"]
    await background.stop()
    assert seen == ["begun", "ended"]


async def test_stopping_twice_or_before_the_beginning_is_no_error() -> None:
    background = Background()
    await background.stop()
    background.start(forever([]))
    await background.stop()
    await background.stop()


async def test_it_may_begin_again_after_it_was_stopped() -> None:
    seen: list[str] = []
    background = Background()
    for _ in range(2):
        background.start(forever(seen))
        await asyncio.sleep(0)
        await background.stop()
    assert seen == ["begun", "ended"] * 2


async def test_nothing_is_begun_twice_and_then_forgotten() -> None:
    seen: list[str] = []
    background = Background()
    background.start(forever(seen))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError):
        background.start(forever(seen))
    await background.stop()
    assert seen == ["begun", "ended"]


async def test_what_ended_it_before_is_told_to_who_stops_it() -> None:
    async def fails() -> None:
        raise ValueError("no more")

    background = Background()
    background.start(fails())
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="no more"):
        await background.stop()
