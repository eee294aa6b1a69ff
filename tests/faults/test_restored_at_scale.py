"""Thousands of rules: whatever died has them back in seconds, and the platform never stalls."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.elements.mep.records import AppRecord, Records
from hanse.kit.store import Store
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mp2 import DataPlane, NameServer
from hanse.scenarios.stage import claim
from tests.faults.apart import NAMES, PLANE, PLATFORM, Apart
from tests.faults.remains import until
from tests.lateness import lateness
from tests.turns import turns
from tests.unit.elements.mep.parts import Bench
from tests.unit.elements.mep.steering.crowd import RULES, active, keep, one_of_many

APPS = 300
IN_SECONDS = 15.0
"""From the return of a data plane until it has all that it had, beside what the machine takes for itself."""
STALL = 0.02
"""Seconds for which a look at all rules may keep the platform from other work."""
ANSWERED = 2.0
"""Seconds in which the platform answers while it restores, on a busy machine too."""

pytestmark = pytest.mark.timeout(120)


async def kept(file: Path, prefix: str) -> None:
    """Write hundreds of active apps to a platform's disk; addresses are in the claimed network."""
    store, apps = Store(file), list[AppRecord]()
    for number in range(APPS):
        app, at = one_of_many(number), f"{prefix}{200 + number // 250}.{1 + number % 250}"
        led = tuple(
            replace(rule, traffic_filter=(replace(rule.traffic_filter[0], dst_address=(at,)),))
            for rule in app.traffic_rules
        )
        apps.append(active(replace(app, address=f"{prefix}1.100", traffic_rules=led)))
    await keep(store, Records(store), apps)
    store.close()


@pytest.fixture
async def apart(tmp_path: Path) -> AsyncIterator[Apart]:
    """A platform with hundreds of apps, its data plane and its name server, each a process."""
    made = Apart(tmp_path)
    try:
        await kept(made.settings.directory / f"{PLATFORM}.sqlite", made.networks["127.10."])
        await made.start(PLANE, NAMES, PLATFORM)
        yield made
    finally:
        made.clear()


async def test_all_rules_and_names_are_back_soon_after_both_were_killed_and_the_platform_answers_meanwhile(
    apart: Apart,
) -> None:
    await _restored(apart)
    for victim in (PLANE, NAMES):
        os.kill(apart.pid(victim), signal.SIGKILL)
        await apart.death(victim)
    await apart.start(PLANE, NAMES)
    began, slowest = time.monotonic(), [0.0]
    async with lateness() as late:
        asking = asyncio.create_task(_ask(apart, slowest))
        await _restored(apart)
        taken = time.monotonic() - began
        await until(lambda: slowest[0] > 0 or asking.done())  # all may have been there before anybody had asked
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert taken < IN_SECONDS + late.seconds
    assert 0 < slowest[0] < ANSWERED + late.seconds


async def test_the_platform_does_its_other_work_while_it_restores_and_while_it_finds_nothing_to_do(
    tmp_path: Path,
) -> None:
    held, networks = claim()
    plane = UserspaceDataPlane(f"{networks['127.10.']}1.2")
    try:
        await plane.start()
        await kept(tmp_path / "mep.sqlite", networks["127.10."])
        bench = Bench(store=Store(tmp_path / "mep.sqlite"), plane=plane)  # type: ignore[arg-type] # a real one
        async with turns() as quiet:
            await asyncio.sleep(0.2)
        for there in (0, APPS * RULES):
            assert len(await plane.forwardings()) == there
            async with turns() as taken:
                await bench.platform.steering.restore()
            assert taken.longest < quiet.longest + STALL
        assert len(await plane.forwardings()) == len(bench.names.known) * RULES == APPS * RULES
        bench.store.close()
    finally:
        await plane.close()
        os.close(held)


async def _restored(apart: Apart) -> None:
    """Wait until all is in force; the time limit of the test ends it."""
    async with apart.api(DataPlane, PLANE, PLATFORM) as plane, apart.api(NameServer, NAMES, PLATFORM) as server:
        while len(await plane.forwardings()) < APPS * RULES or len(await server.records()) < APPS:  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def _ask(apart: Apart, slowest: list[float]) -> None:
    """Ask the platform for something small again and again, and note how long the slowest answer took."""
    async with apart.api(SteeringPolicies, PLATFORM, "mepm.harbour") as platform:
        while True:
            began = time.monotonic()
            await platform.list_policies()
            slowest[0] = max(slowest[0], time.monotonic() - began)
            await asyncio.sleep(0.05)
