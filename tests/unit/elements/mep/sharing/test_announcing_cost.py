"""To announce much again and again for little changes would keep two platforms busy: such changes gather for longer."""

from __future__ import annotations

import asyncio
import time

from hanse.elements.mep.sharing.announcing import GATHER, Announcer
from hanse.refpoints.mp2 import TrafficMatch
from hanse.refpoints.mp3.services import SIGN_PERIOD, Announcement, SharedRule, SharedServices, SignOfLife
from tests.bounds import SOON
from tests.lateness import lateness
from tests.unit.elements.mep.parts import Bench
from tests.unit.elements.mep.steering.test_spots import shared

LASTS = 0.6
"""Seconds for which rules change all the time."""


class Neighbour(SharedServices):
    """Hears, and counts how often it is told everything."""

    def __init__(self) -> None:
        self.mark, self.signs = "", 0
        self.announced: list[float] = []

    async def alive(self, host: str, sign: SignOfLife) -> SignOfLife:
        self.signs += 1
        return SignOfLife(mark=self.mark)

    async def announce(self, host: str, announcement: Announcement) -> None:
        self.announced.append(time.monotonic())
        self.mark = announcement.mark


async def told(bench: Bench, rules: int, least: int) -> tuple[Neighbour, float]:
    """A neighbour of a platform with so many rules, one of which changes a hundred times a second; and for how long.

    If that tells it less than the least so far, they go on changing.
    """
    neighbour, changes = Neighbour(), 0
    others = tuple(shared(f"o{number}", TrafficMatch()) for number in range(rules - 1))

    def now() -> tuple[SharedRule, ...]:
        return (shared(f"now{changes}", TrafficMatch()), *others)

    announcer = Announcer("harbour", bench.platform.records, {"airport": neighbour}, now)
    began = time.monotonic()
    running = asyncio.create_task(announcer.run())
    async with asyncio.timeout(SOON):
        while time.monotonic() < began + LASTS or len(neighbour.announced) < least:
            changes += 1
            announcer.changed()
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return neighbour, time.monotonic() - began


async def test_few_rules_are_announced_at_once(bench: Bench) -> None:
    async with lateness() as late:
        neighbour, lasted = await told(bench, rules=5, least=2)
    first, second, *_ = neighbour.announced
    assert second - first < SIGN_PERIOD / 2 + late.seconds, "a sign of life brings one, too, but later"
    assert len(neighbour.announced) <= lasted / GATHER + 1


async def test_many_rules_are_announced_seldom(bench: Bench) -> None:
    neighbour, lasted = await told(bench, rules=10_000, least=1)
    assert len(neighbour.announced) <= 3 * lasted / LASTS


async def test_a_platform_with_very_many_rules_gives_its_signs_of_life_in_time(bench: Bench) -> None:
    announcer = Announcer("harbour", bench.platform.records, {}, lambda: (shared("one", TrafficMatch()),) * 10**5)
    announcer.announcement()
    assert announcer._gathering() <= SIGN_PERIOD / 2
