"""Whoever dies in a rule change, platform, data plane or name server: what is in force is what is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from hanse.kit.problems import Problem
from hanse.refpoints.mp1.support import RuleState
from tests.faults.apart import NAME, NAMES, PLANE, PLATFORM, Apart
from tests.faults.turning import (
    MOMENTS,
    Kind,
    assert_in_force_is_what_is_kept,
    kept,
    killed_over_a_turn,
    other,
    turn,
    turned,
)
from tests.lifetime import lifetime

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

pytestmark = pytest.mark.timeout(120)


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
    await killed_over_a_turn(apart, PLATFORM, kind, state, (effect, moment))
    await turned(apart, kind, state)
    await assert_in_force_is_what_is_kept(apart)
    assert await _resolves(apart) is (kept(apart, "dns") is RuleState.ACTIVE)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("victim", "effect", "kind", "state"), OF_THE_OTHERS)
async def test_what_a_data_plane_or_name_server_was_killed_over_is_in_force_soon_after_it_is_back(
    apart: Apart, victim: str, effect: str, moment: str, kind: Kind, state: RuleState
) -> None:
    await turned(apart, kind, other(state))
    apart.arm(victim, f"{effect}:{moment}")
    with contextlib.suppress(Problem):
        await turn(apart, kind, state)
    await apart.death(victim)
    assert kept(apart, kind) is state
    await apart.start(victim)
    await assert_in_force_is_what_is_kept(apart)


async def _resolves(apart: Apart) -> bool:
    try:
        return bool(await apart.alice().resolve(NAME))
    except Problem:
        return False
