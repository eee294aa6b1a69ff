"""The operator is killed while it starts for the first time, and while it checks a package: both are done later."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import on_board
from hanse.kit.problems import Problem
from hanse.refpoints.mm1.packages import OnboardingState
from tests.faults.operators import LoneOperator
from tests.faults.packages import package
from tests.faults.uploads import checked

START_UP = ("certificates.create", "certificates.replace")
ON_BOARDING = ("meo.onboard",)
MOMENTS = ("before", "after")

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("effect", START_UP)
async def test_a_first_start_cut_off_can_be_repeated(tmp_path: Path, effect: str, moment: str) -> None:
    fresh = LoneOperator(tmp_path)
    try:
        fresh.begin(f"{effect}:{moment}")
        assert await fresh.death()
        await fresh.start()
        async with administration(fresh.settings) as oss:
            assert (await oss.overview.overview()).system.hosts[0].reachable
    finally:
        fresh.clear()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("effect", ON_BOARDING)
async def test_a_check_of_a_package_cut_off_is_done_after_the_restart(
    operator: LoneOperator, effect: str, moment: str
) -> None:
    archive = await asyncio.to_thread(
        package, operator.deployment, operator.networks, "beacon", variant=f"{effect}-{moment}"
    )
    operator.arm(f"{effect}:{moment}")
    async with administration(operator.settings) as oss:
        with pytest.raises(Problem):  # the operator does not answer any more
            await on_board(oss.packages, archive)
    assert await operator.death()
    await operator.start()
    async with administration(operator.settings) as oss:
        newest = (await oss.packages.list_packages())[-1]
        assert (await checked(oss, newest.id)).onboarding_state is OnboardingState.ONBOARDED
