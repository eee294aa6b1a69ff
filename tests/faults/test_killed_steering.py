"""Whoever dies while a policy of the operator changes: devices are led by what the platform has written, all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from hanse.assembly.builders.mep import led_devices
from hanse.elements.mep.steering.led import name_of, records_of
from hanse.refpoints.mm1.steering import Preference, SteeringPolicies, SteeringPolicy, Target
from hanse.refpoints.mp2 import NameRecord, NameServer
from tests.faults.apart import NAMES, PLANE, PLATFORM, Apart, acknowledged, tries
from tests.lifetime import lifetime

LED = "video.example.com"
PATIENCE = 30.0
"""Seconds in which devices are led by what is kept, once all are ready; a platform looks every three."""
OLD = SteeringPolicy(name=LED, targets=(Target(host="harbour", address="127.3.0.1"),))
NEW = SteeringPolicy(
    name=LED,
    targets=(Target(host="harbour", address="127.3.0.2"), Target(host="airport", address="127.3.0.3")),
    preferences=(Preference(to="airport", subnets=("10.1.0.0/16", "10.2.0.0/16")),),
)

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    with lifetime(Apart(tmp_path_factory.mktemp("apart")), lambda made: made.start(PLANE, NAMES, PLATFORM)) as made:
        yield made


@pytest.mark.parametrize(
    ("victim", "failpoint", "written"),
    [
        (PLATFORM, "store.commit:before", OLD),
        (PLATFORM, "store.commit:after", NEW),
        (PLATFORM, "mep.names:before", NEW),
        (PLATFORM, "mep.names:after", NEW),
        (NAMES, "names.publish_all:before", NEW),
        (NAMES, "names.publish_all:after", NEW),
    ],
)
async def test_after_a_death_in_a_change_of_policy_devices_are_led_by_what_was_written(
    apart: Apart, victim: str, failpoint: str, written: SteeringPolicy
) -> None:
    async for _ in tries():  # its own look at the rules, every three seconds, may come by first, and ends it as well
        await _set(apart, OLD)
        await _led_by(apart, OLD)
        apart.arm(victim, failpoint)
        made = await acknowledged(_set(apart, NEW))
        await apart.death(victim)
        await apart.start(victim)
        assert not made or await _kept(apart) == [NEW]
        if await _kept(apart) == [written]:
            break
    assert await _kept(apart) == [written]
    await _led_by(apart, written)


async def test_no_query_between_two_policies_finds_half_of_one(apart: Apart) -> None:
    await _set(apart, OLD)
    await _led_by(apart, OLD)
    policies = [OLD, NEW, replace(NEW, preferences=())]
    legal = [_records(apart, policy) for policy in policies]
    seen: list[list[NameRecord]] = []

    async def watch() -> None:
        while True:
            seen.append(await _present(apart))

    watching = asyncio.create_task(watch())
    changes = 0
    while changes < 30 or len(seen) <= 10 or len({tuple(each) for each in seen}) == 1:
        await _set(apart, policies[changes % 3])
        changes += 1
        assert not watching.done(), "nobody looks any more"
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert all(each in legal for each in seen)


async def _set(apart: Apart, policy: SteeringPolicy) -> None:
    async with apart.api(SteeringPolicies, PLATFORM, "mepm.harbour") as platform:
        await platform.set_policy(LED, policy)


async def _kept(apart: Apart) -> list[SteeringPolicy]:
    async with apart.api(SteeringPolicies, PLATFORM, "mepm.harbour") as platform:
        return await platform.list_policies()


async def _present(apart: Apart) -> list[NameRecord]:
    async with apart.api(NameServer, NAMES, PLATFORM) as server:
        return [record for record in await server.records() if name_of(record.owner) == LED]


def _records(apart: Apart, policy: SteeringPolicy) -> list[NameRecord]:
    return sorted(records_of(policy, led_devices(apart.settings, "harbour")), key=lambda record: record.record_id)


async def _led_by(apart: Apart, policy: SteeringPolicy) -> None:
    """In good time."""
    deadline = time.monotonic() + PATIENCE
    while await _present(apart) != _records(apart, policy):
        assert time.monotonic() < deadline, await _present(apart)
        await asyncio.sleep(0.1)
