"""The operator is killed immediately before and after every effect, and what it was asked for is done all the same."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from hanse.refpoints.mm1.lifecycle import LcmOperation, OperationalState
from tests.faults.lives import completed, created, deleted, dies_at, shown
from tests.faults.operators import LoneOperator
from tests.faults.remains import assert_nothing_at_the_host, assert_runs_once, mentions

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
MOST_COMMITS = 60
"""No operation has as many commits: a bound for a loop that ends when the operation does."""

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def app_d_id(operator: LoneOperator) -> str:
    return asyncio.run(operator.on_board("beacon"))


async def started(operator: LoneOperator, app_d_id: str) -> str:
    identifier = await created(operator, app_d_id)
    await completed(operator, LcmOperation.INSTANTIATE, identifier)
    return identifier


async def ended(operator: LoneOperator, identifier: str) -> None:
    """Terminated, if need be, and deleted: nothing in any record speaks of it any more."""
    await completed(operator, LcmOperation.TERMINATE, identifier)
    await assert_nothing_at_the_host(operator, identifier)
    await deleted(operator, identifier)
    assert mentions(operator, identifier, ("meo", "mepm", "mep", "vim", "oss")) == []


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


@pytest.mark.timeout(600)  # two minutes on an idle machine
async def test_operations_cut_off_at_each_of_their_commits_are_done(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two operators beside each other, one killed before and one after each commit; ends when no commit is left."""
    directory = tmp_path_factory.mktemp("commits")
    counts = await asyncio.gather(*(_every_commit(LoneOperator(directory / moment), moment) for moment in MOMENTS))
    for instantiation, termination in counts:
        assert instantiation > 5
        assert termination > 5


async def _every_commit(operator: LoneOperator, moment: str) -> tuple[int, int]:
    counts = {LcmOperation.INSTANTIATE: 0, LcmOperation.TERMINATE: 0}
    try:
        await operator.start()
        app_d_id = await operator.on_board("beacon")
        for number in range(1, MOST_COMMITS):
            identifier = await created(operator, app_d_id)
            hits = []
            for operation in counts:
                died = await dies_at(operator, f"store.commit:{moment}@{number}", operation, identifier)
                counts[operation] += died
                hits.append(died)
                await completed(operator, operation, identifier)
                if operation is LcmOperation.INSTANTIATE:
                    await assert_runs_once(operator, identifier)
            await ended(operator, identifier)
            if not any(hits):
                return counts[LcmOperation.INSTANTIATE], counts[LcmOperation.TERMINATE]
    finally:
        operator.clear()
    raise AssertionError(f"still at commit {MOST_COMMITS}")
