"""The end of an agreement is felt by everyone who holds something of it, and by nobody before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from hanse.assembly.partners import STANDING_LASTS, WATCH_PERIOD, PartnerWatch
from hanse.kit.problems import Problem, unreachable
from hanse.refpoints.mfm_fed.members import Membership, Partner, PartnerState
from tests.bounds import SOON
from tests.lateness import lateness


class Manager(Membership):
    """A federation manager with one partner, whose agreement a test opens and closes."""

    def __init__(self) -> None:
        self.open, self.epoch = True, 1
        self.away = self.hangs = False
        self.answered = 0.0

    async def list_partners(self) -> list[Partner]:
        if self.away:
            raise unreachable("federation_manager")
        if self.hangs:
            await asyncio.sleep(3600)
        self.answered = time.monotonic()
        state = PartnerState.AVAILABLE if self.open else PartnerState.CLOSED
        return [Partner(name="south", state=state, open=self.open, epoch=self.epoch, since=0.0)]


@pytest.fixture
def manager() -> Manager:
    return Manager()


async def test_before_the_first_look_no_agreement_stands(manager: Manager) -> None:
    watch = PartnerWatch(manager)
    assert watch.standing("south") is None
    assert watch.epoch("south") is None
    await watch.look()
    assert watch.epoch("south") == 1
    assert watch.epoch("east") is None


async def test_an_end_is_told_once_and_an_opening_is_not(manager: Manager) -> None:
    watch, told = PartnerWatch(manager), []

    async def tell(name: str) -> None:
        told.append(name)

    watch.on_end(tell)
    await watch.look()
    manager.open, manager.epoch = False, 2
    await watch.look()
    await watch.look()
    assert told == ["south"]
    assert watch.epoch("south") is None
    manager.open = True
    await watch.look()
    assert (told, watch.epoch("south")) == (["south"], 2)


async def test_an_agreement_that_was_closed_and_opened_between_two_looks_has_ended_too(manager: Manager) -> None:
    watch, told = PartnerWatch(manager), []

    async def tell(name: str) -> None:
        told.append(name)

    watch.on_end(tell)
    await watch.look()
    manager.epoch = 2
    await watch.look()
    assert told == ["south"]


async def test_one_who_fails_does_not_keep_the_others_from_cutting(manager: Manager) -> None:
    watch, told = PartnerWatch(manager), []

    async def fails(name: str) -> None:
        raise OSError("broken")

    async def tell(name: str) -> None:
        told.append(name)

    watch.on_end(fails)
    watch.on_end(tell)
    await watch.look()
    manager.open = False
    await watch.look()
    assert told == ["south"]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 (the watch tells only of ends)
            await asyncio.sleep(0.02)


async def test_one_look_that_fails_ends_nothing(manager: Manager) -> None:
    watch = PartnerWatch(manager)
    await watch.look()
    manager.away = True
    with pytest.raises(Problem):
        await watch.look()
    assert watch.epoch("south") == 1


@pytest.mark.parametrize("way", ["away", "hangs"])
async def test_while_the_manager_does_not_answer_no_agreement_stands_and_what_is_open_is_cut(
    manager: Manager, way: str
) -> None:
    watch, told = PartnerWatch(manager), []

    async def tell(name: str) -> None:
        told.append(name)

    watch.on_end(tell)
    await watch.start_up()
    try:
        await until(lambda: watch.epoch("south") == 1)
        setattr(manager, way, True)
        async with lateness() as late:
            await until(lambda: watch.epoch("south") is None)
            took = time.monotonic() - manager.answered
        assert STANDING_LASTS - WATCH_PERIOD < took < 2 + late.seconds
        await until(lambda: told == ["south"])
        assert watch.standing("south") is None
        setattr(manager, way, False)
        await until(lambda: watch.epoch("south") == 1)
        assert told == ["south"], "cut once, and what is begun afterwards is left alone"
    finally:
        await watch.shut_down()


async def test_an_agreement_that_was_closed_while_the_manager_was_away_has_ended(manager: Manager) -> None:
    watch = PartnerWatch(manager)
    ended = asyncio.Event()

    async def tell(name: str) -> None:
        ended.set()

    watch.on_end(tell)
    await watch.start_up()
    try:
        await until(lambda: watch.epoch("south") == 1)
        manager.away = True
        await until(lambda: watch.epoch("south") is None)
        manager.away, manager.open = False, False
        async with asyncio.timeout(SOON):
            await ended.wait()
        assert watch.epoch("south") is None
    finally:
        await watch.shut_down()
