"""Nobody can say that an agreement stands once the federation manager is silent: what is open at the border is cut."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hanse.assembly.partners import STANDING_LASTS
from hanse.assembly.spawning import spawn
from hanse.scenarios.stage import Stage
from tests.bounds import SOON
from tests.faults.stages import until
from tests.faults.test_agreement_closed import Partner
from tests.lateness import lateness

SLACK = 3.0
"""Seconds for a busy machine; the watch itself takes ``STANDING_LASTS``."""
MANAGER, BORDER = "federation_manager", "border"

pytestmark = pytest.mark.timeout(120)


@asynccontextmanager
async def apart(directory: Path) -> AsyncIterator[tuple[Stage, dict[str, int]]]:
    """The border and the federation manager of an operator, each a process of its own, with their pids."""
    stage = Stage(directory)
    started = []
    try:
        await asyncio.to_thread(stage.deployment.prepare)
        south = stage.operator("south")
        started = [(south, name, spawn(south, name)) for name in (MANAGER, BORDER)]
        await asyncio.to_thread(stage.deployment.await_operator, started)
        yield stage, {name: process.pid for _, name, process in started}
    finally:
        for _, _, process in started:
            process.kill()
            process.wait()
        await asyncio.to_thread(stage.clear)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_partner_keeps_no_connection_when_the_manager_is_gone(tmp_path: Path, how: signal.Signals) -> None:
    async with apart(tmp_path) as (stage, pids):
        north = Partner(stage.operator("north"), stage.operator("south"))

        async def admitted() -> bool:
            try:
                return bool(await north.token())
            except AssertionError:  # the border has not heard its manager yet
                return False

        idle: asyncio.Task[float] | None = None
        while idle is None:  # the time limit of the test ends it
            assert await until(admitted)
            idle = await _standing(north)
        async with lateness() as late:
            os.kill(pids[MANAGER], how)
            began = time.monotonic()
            try:
                took = await asyncio.wait_for(idle, SOON) - began
            finally:
                os.kill(pids[MANAGER], signal.SIGCONT)
        assert took < STANDING_LASTS + SLACK + late.seconds
        assert took > STANDING_LASTS / 4 - late.seconds, "a single look that fails cuts nothing"
        if how is signal.SIGSTOP:
            assert await until(admitted), "once the manager is back, so are its partners"


async def _standing(north: Partner) -> asyncio.Task[float] | None:
    """A connection that nobody cuts while the manager answers; ``None`` if this machine kept it from answering."""
    connected = asyncio.Event()
    idle = asyncio.create_task(north.idles(connected))
    await asyncio.wait_for(connected.wait(), SOON)
    async with lateness() as late:
        await asyncio.sleep(2 * STANDING_LASTS)
    assert not idle.done() or late.seconds > STANDING_LASTS / 2, "while the manager answers, nothing is cut"
    return None if idle.done() else idle
