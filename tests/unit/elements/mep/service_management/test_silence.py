"""Whoever must be heard of and is not is told once, in time, however many there are."""

from __future__ import annotations

import asyncio
import random

from hanse.elements.mep.service_management.silence import SilenceTimer
from tests.bounds import SOON


class Watch:
    """A timer with hands that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.told: list[str] = []
        self.timer = SilenceTimer(self.take, lambda: self.now)

    async def take(self, silent: list[str]) -> None:
        self.told += silent

    def after(self, seconds: float) -> list[str]:
        self.now += seconds
        return self.timer.due()


def test_who_is_silent_too_long_is_told_once() -> None:
    watch = Watch()
    watch.timer.hear("a", 3)
    assert watch.after(2.9) == []
    assert watch.timer.expects("a")
    assert watch.after(0.2) == ["a"]
    assert not watch.timer.expects("a")
    assert watch.after(100) == []


def test_who_is_heard_in_time_is_not_told() -> None:
    watch = Watch()
    watch.timer.hear("a", 3)
    for _ in range(10):
        assert watch.after(2) == []
        watch.timer.hear("a", 3)
    assert watch.after(3) == ["a"]


def test_who_is_forgotten_is_not_told() -> None:
    watch = Watch()
    watch.timer.hear("a", 3)
    watch.timer.forget("a")
    watch.timer.forget("never heard of")
    assert watch.after(10) == []


def test_a_shorter_patience_counts_at_once() -> None:
    watch = Watch()
    watch.timer.hear("a", 1000)
    watch.timer.hear("a", 1)
    assert watch.after(1) == ["a"]
    watch.timer.hear("a", 1)
    watch.timer.hear("a", 1000)
    assert watch.after(500) == []
    assert watch.after(500) == ["a"]


def test_what_is_told_is_what_plain_counting_tells() -> None:
    generator, watch = random.Random(3), Watch()
    until: dict[str, float] = {}
    for _ in range(5000):
        key, deed = str(generator.randrange(40)), generator.random()
        if deed < 0.5:
            patience = generator.choice([1, 5, 20])
            watch.timer.hear(key, patience)
            until[key] = watch.now + patience
        elif deed < 0.6:
            watch.timer.forget(key)
            until.pop(key, None)
        else:
            silent = watch.after(generator.random())
            expected = {k for k, at in until.items() if at <= watch.now}
            assert (set(silent), len(silent)) == (expected, len(expected))
            until = {k: at for k, at in until.items() if at > watch.now}


def test_to_be_heard_costs_no_place_in_the_heap() -> None:
    watch = Watch()
    for _ in range(1000):
        for key in "abc":
            watch.timer.hear(key, 5)
        watch.after(0.1)
    assert len(watch.timer._heap) == 3


async def test_the_timer_wakes_for_whoever_comes_first() -> None:
    told: list[str] = []

    async def take(silent: list[str]) -> None:
        told.extend(silent)

    timer = SilenceTimer(take)
    task = asyncio.create_task(timer.run())
    await asyncio.sleep(0)
    timer.hear("later", 30)
    await asyncio.sleep(0)
    timer.hear("sooner", 0.02)
    async with asyncio.timeout(SOON):
        while not told:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert told == ["sooner"]
    task.cancel()


async def test_a_platform_that_was_stopped_itself_blames_nobody() -> None:
    watch = Watch()
    task = asyncio.create_task(watch.timer.run())
    watch.timer.hear("a", 0.02)
    await asyncio.sleep(0)  # the timer waits for a
    watch.now += 60  # and is not let run for a minute
    await asyncio.sleep(0.05)
    assert watch.told == []
    assert watch.timer.expects("a")
    task.cancel()
