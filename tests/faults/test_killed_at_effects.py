"""The operator is killed immediately before and after every effect, and what it was asked for is done all the same."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from hanse.refpoints.mm1.lifecycle import LcmOperation, OperationalState
from tests.faults.lives import completed, created, dies_at, ended, shown, started
from tests.faults.operators import LoneOperator
from tests.faults.remains import assert_runs_once

INSTANTIATION = (
    "meo.image",
    "compute.image",
    "meo.assign",
    "meo.instantiate",
    "mepm.grant",
    "mepm.allocate",
    "mepm.configure",
    "mepm.start",
    "compute.create",
    "compute.spawn",
    "mepm.activate",
    "mep.rules",
    "data_plane.install",
    "mep.names",
    "names.publish",
)
TERMINATION = (
    "meo.terminate",
    "mepm.grant",
    "mepm.announce",
    "mp1.callback",
    "mepm.deactivate",
    "mep.rules",
    "data_plane.withdraw",
    "mep.names",
    "names.retract",
    "mepm.release",
    "compute.delete",
    "mepm.forget",
    "meo.take_back",
)
STOP = ("meo.operate", "mepm.stop", "compute.stop")
LOST = ("mepm.withdraw", "mepm.tell_ended")
"""Effects of settling the end of an app that ended by itself."""
MOMENTS = ("before", "after")

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def app_d_id(operator: LoneOperator) -> str:
    return asyncio.run(operator.on_board("beacon"))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("effect", INSTANTIATION)
async def test_an_instantiation_cut_off_ends_with_one_app(
    operator: LoneOperator, app_d_id: str, effect: str, moment: str
) -> None:
    if effect == "compute.image":  # the driver takes an image in once: this must be one that it has not
        app_d_id = await operator.on_board("beacon", variant=moment)
    identifier = await created(operator, app_d_id)
    assert await dies_at(operator, f"{effect}:{moment}", LcmOperation.INSTANTIATE, identifier)
    await completed(operator, LcmOperation.INSTANTIATE, identifier)
    await assert_runs_once(operator, identifier)
    await ended(operator, identifier)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("effect", TERMINATION)
async def test_a_termination_cut_off_leaves_nothing(
    operator: LoneOperator, app_d_id: str, effect: str, moment: str
) -> None:
    identifier = await started(operator, app_d_id)
    assert await dies_at(operator, f"{effect}:{moment}", LcmOperation.TERMINATE, identifier)
    await ended(operator, identifier)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("effect", STOP)
async def test_a_stop_cut_off_ends_with_an_app_that_does_not_run(
    operator: LoneOperator, app_d_id: str, effect: str, moment: str
) -> None:
    identifier = await started(operator, app_d_id)
    assert await dies_at(operator, f"{effect}:{moment}", LcmOperation.OPERATE, identifier)
    await completed(operator, LcmOperation.OPERATE, identifier)
    assert operator.apps() == []
    await ended(operator, identifier)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("effect", LOST)
async def test_the_end_of_an_app_is_noted_although_the_operator_dies_over_it(
    operator: LoneOperator, app_d_id: str, effect: str, moment: str
) -> None:
    identifier = await started(operator, app_d_id)
    operator.arm(f"{effect}:{moment}")
    os.kill(operator.apps()[0], signal.SIGKILL)
    assert await operator.death()
    await operator.start()
    assert await shown(operator, identifier, OperationalState.STOPPED)
    assert operator.apps() == []
    await ended(operator, identifier)
