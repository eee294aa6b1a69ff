"""Whoever dies in a rule change, platform, data plane or name server: what is in force is what is kept."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Literal

import pytest
from msgspec.structs import replace

from hanse.kit.problems import Problem
from hanse.refpoints.mp1.support import RuleState
from tests.faults.apart import APP, NAME, NAMES, PLANE, PLATFORM, Apart
from tests.lifetime import lifetime

PATIENCE = 10.0
"""Seconds in which what is in force must be what is kept, once all are ready; a platform looks every three."""
MOMENTS = ("before", "after")
Kind = Literal["traffic", "dns"]

OF_THE_PLATFORM: tuple[tuple[str, Kind, RuleState], ...] = (
    ("store.commit", "traffic", RuleState.INACTIVE),
    ("store.commit", "dns", RuleState.INACTIVE),
    ("mep.rules", "traffic", RuleState.INACTIVE),
    ("mep.rules", "traffic", RuleState.ACTIVE),
    ("mep.names", "dns", RuleState.INACTIVE),
    ("mep.names", "dns", RuleState.ACTIVE),
)
OF_THE_OTHERS: tuple[tuple[str, str, Kind, RuleState], ...] = (
    (PLANE, "data_plane.withdraw", "traffic", RuleState.INACTIVE),
    (PLANE, "data_plane.install", "traffic", RuleState.ACTIVE),
    (NAMES, "names.retract", "dns", RuleState.INACTIVE),
    (NAMES, "names.publish", "dns", RuleState.ACTIVE),
)

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    with lifetime(Apart(tmp_path_factory.mktemp("apart")), _up) as made:
        yield made


async def _up(apart: Apart) -> None:
    await apart.start(PLANE, NAMES, PLATFORM)
    await apart.bring_up()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("effect", "kind", "state"), OF_THE_PLATFORM)
async def test_a_platform_killed_while_it_changes_a_rule_carries_out_what_it_has_written(
    apart: Apart, effect: str, moment: str, kind: Kind, state: RuleState
) -> None:
    for _ in range(3):  # its own look at the rules, every three seconds, may come by first, and ends it as well
        await _turned(apart, kind, _other(state))
        apart.arm(PLATFORM, f"{effect}:{moment}")
        with contextlib.suppress(Problem):
            await turn(apart, kind, state)
        await apart.death(PLATFORM)
        await apart.start(PLATFORM)
        await assert_in_force_is_what_is_kept(apart)
        if _kept(apart, kind) is state or (effect, moment) == ("store.commit", "before"):
            break
    written = (effect, moment) != ("store.commit", "before")
    assert (_kept(apart, kind) is state) is written
    await _turned(apart, kind, state)
    await assert_in_force_is_what_is_kept(apart)
    assert await _resolves(apart) is (_kept(apart, "dns") is RuleState.ACTIVE)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("victim", "effect", "kind", "state"), OF_THE_OTHERS)
async def test_what_a_data_plane_or_name_server_was_killed_over_is_in_force_soon_after_it_is_back(
    apart: Apart, victim: str, effect: str, moment: str, kind: Kind, state: RuleState
) -> None:
    await _turned(apart, kind, _other(state))
    apart.arm(victim, f"{effect}:{moment}")
    with contextlib.suppress(Problem):
        await turn(apart, kind, state)
    await apart.death(victim)
    assert _kept(apart, kind) is state
    await apart.start(victim)
    await assert_in_force_is_what_is_kept(apart)


async def turn(apart: Apart, kind: Kind, state: RuleState) -> None:
    """Ask over Mp1, as the app, that its rule be active or not."""
    async with apart.support() as support:
        if kind == "traffic":
            traffic = (await support.list_traffic_rules(APP))[0]
            await support.update_traffic_rule(APP, traffic.traffic_rule_id, replace(traffic, state=state))
        else:
            dns = (await support.list_dns_rules(APP))[0]
            await support.update_dns_rule(APP, dns.dns_rule_id, replace(dns, state=state))


async def _turned(apart: Apart, kind: Kind, state: RuleState) -> None:
    if _kept(apart, kind) is not state:
        await turn(apart, kind, state)
    await assert_in_force_is_what_is_kept(apart)


async def assert_in_force_is_what_is_kept(apart: Apart) -> None:
    """In good time."""
    deadline = time.monotonic() + PATIENCE
    while await apart.present() != apart.wanted():
        assert time.monotonic() < deadline, f"in force {await apart.present()}, kept {apart.wanted()}"
        await asyncio.sleep(0.1)


async def _resolves(apart: Apart) -> bool:
    try:
        return bool(await apart.alice().resolve(NAME))
    except Problem:
        return False


def _kept(apart: Apart, kind: Kind) -> RuleState:
    app = apart.kept()
    return (app.traffic_rules if kind == "traffic" else app.dns_rules)[0].state


def _other(state: RuleState) -> RuleState:
    return RuleState.INACTIVE if state is RuleState.ACTIVE else RuleState.ACTIVE
