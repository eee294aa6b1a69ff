"""One element of an operator is killed in an operation; the others wait for it, and the operation is done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from hanse.refpoints.mm1.lifecycle import LcmOperation
from tests.faults.lives import ask, completed, created, ended
from tests.faults.remains import assert_runs_once
from tests.faults.separated import MEO, MEP, MEPM, VIM, SeparatedOperator
from tests.lifetime import lifetime

INSTANTIATION = (
    (MEO, "meo.assign"),
    (MEO, "meo.instantiate"),
    (MEPM, "mepm.grant"),
    (MEPM, "mepm.configure"),
    (MEPM, "mepm.start"),
    (MEPM, "mepm.activate"),
    (VIM, "compute.create"),
    (VIM, "compute.spawn"),
    (MEP, "mep.rules"),
    (MEP, "mep.names"),
)
TERMINATION = (
    (MEO, "meo.terminate"),
    (MEO, "meo.take_back"),
    (MEPM, "mepm.announce"),
    (MEPM, "mepm.deactivate"),
    (MEPM, "mepm.release"),
    (MEPM, "mepm.forget"),
    (VIM, "compute.delete"),
    (MEP, "mp1.callback"),
    (MEP, "mep.rules"),
    (MEP, "mep.names"),
)
MOMENTS = ("before", "after")

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeparatedOperator]:
    with lifetime(SeparatedOperator(tmp_path_factory.mktemp("apart")), SeparatedOperator.start_all) as made:
        yield made


@pytest.fixture(scope="module")
def app_d_id(apart: SeparatedOperator) -> str:
    return asyncio.run(apart.on_board("beacon"))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("instantiation", "termination"), list(zip(INSTANTIATION, TERMINATION, strict=True)))
async def test_operations_are_done_although_one_element_is_killed_over_them(
    apart: SeparatedOperator, app_d_id: str, instantiation: tuple[str, str], termination: tuple[str, str], moment: str
) -> None:
    identifier = await created(apart, app_d_id)
    await cut_off(apart, LcmOperation.INSTANTIATE, identifier, instantiation, moment)
    await completed(apart, LcmOperation.INSTANTIATE, identifier)
    await assert_runs_once(apart, identifier)
    await cut_off(apart, LcmOperation.TERMINATE, identifier, termination, moment)
    await ended(apart, identifier)


async def cut_off(
    apart: SeparatedOperator, operation: LcmOperation, identifier: str, at: tuple[str, str], moment: str
) -> None:
    """Ask for an operation; an element dies over it and comes back, the others never stop."""
    victim, effect = at
    apart.arm_part(victim, f"{effect}:{moment}")
    await ask(apart, operation, identifier)
    await apart.death_of(victim)
    await apart.start_parts(victim)
