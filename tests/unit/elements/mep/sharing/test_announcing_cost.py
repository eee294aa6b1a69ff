"""To announce much again and again for little changes would keep two platforms busy: such changes gather for longer."""

from __future__ import annotations

import asyncio

import pytest

from hanse.elements.mep.sharing.announcing import GATHER, Announcer
from hanse.refpoints.mp2 import TrafficMatch
from hanse.refpoints.mp3.services import SIGN_PERIOD, Announcement, SharedRule, SharedServices, SignOfLife
from tests.bounds import SOON
from tests.unit.elements.mep.parts import Bench
from tests.unit.elements.mep.steering.test_spots import shared

LASTS = 0.6
"""Seconds for which rules change all the time."""


class Neighbour(SharedServices):
    """Hears, and counts how often it is told everything."""

    def __init__(self) -> None:
        self.mark, self.announcements, self.signs = "", 0, 0

    async def alive(self, host: str, sign: SignOfLife) -> SignOfLife:
        self.signs += 1
        return SignOfLife(mark=self.mark)

    async def announce(self, host: str, announcement: Announcement) -> None:
        self.announcements += 1
        self.mark = announcement.mark


async def told(bench: Bench, rules: int, least: int) -> Neighbour:
    """A neighbour of a platform with so many rules, one of which changes a hundred times a second.

    If that tells it less than the least so far, they go on changing.
    """
    neighbour, changes = Neighbour(), 0
    others = tuple(shared(f"o{number}", TrafficMatch()) for number in range(rules - 1))

    def now() -> tuple[SharedRule, ...]:
        return (shared(f"now{changes}", TrafficMatch()), *others)

    announcer = Announcer("harbour", bench.platform.records, {"airport": neighbour}, now)
    running = asyncio.create_task(announcer.run())
    until = asyncio.get_running_loop().time() + LASTS
    async with asyncio.timeout(SOON):
        while asyncio.get_running_loop().time() < until or neighbour.announcements < least:
            changes += 1
            announcer.changed()
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return neighbour


@pytest.mark.parametrize(("rules", "least", "most"), [(5, 2, LASTS / GATHER + 1), (10_000, 1, 3)])
async def test_many_rules_are_announced_seldom_and_few_at_once(
    bench: Bench, rules: int, least: int, most: float
) -> None:
    neighbour = await told(bench, rules, least)
    assert least <= neighbour.announcements <= most


async def test_a_platform_with_very_many_rules_gives_its_signs_of_life_in_time(bench: Bench) -> None:
    announcer = Announcer("harbour", bench.platform.records, {}, lambda: (shared("one", TrafficMatch()),) * 10**5)
    announcer.announcement()
    assert announcer._gathering() <= SIGN_PERIOD / 2
