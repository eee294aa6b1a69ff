"""The operator is killed at random instants of an operation, and the operation is done all the same."""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from hanse.refpoints.mm1.lifecycle import LcmOperation
from tests.faults.lives import ask, completed, created, deleted
from tests.faults.operators import LoneOperator
from tests.faults.remains import assert_nothing_at_the_host, assert_runs_once, mentions

ROUNDS = int(os.environ.get("HANSE_FAULT_ROUNDS", "12"))
LONGEST = 0.8
"""Seconds in which an operation, and what follows from it, is at its end when the machine has nothing else to do."""

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def app_d_id(operator: LoneOperator) -> str:
    return asyncio.run(operator.on_board("beacon"))


@pytest.mark.parametrize("seed", range((ROUNDS + 1) // 2))
async def test_an_operator_killed_at_any_instant_finishes_what_it_was_asked_for(
    operator: LoneOperator, app_d_id: str, seed: int
) -> None:
    """Each seed is two instants, one of an instantiation, one of a termination.

    12 instants by default; ``HANSE_FAULT_ROUNDS=100`` for a hundred, which takes about five minutes.
    """
    instants = random.Random(seed)
    identifier = await created(operator, app_d_id)
    await killed_during(operator, LcmOperation.INSTANTIATE, identifier, instants.uniform(0.0, LONGEST))
    await completed(operator, LcmOperation.INSTANTIATE, identifier)
    await assert_runs_once(operator, identifier)
    await killed_during(operator, LcmOperation.TERMINATE, identifier, instants.uniform(0.0, LONGEST))
    await completed(operator, LcmOperation.TERMINATE, identifier)
    await assert_nothing_at_the_host(operator, identifier)
    await deleted(operator, identifier)
    assert mentions(operator, identifier, ("meo", "mepm", "mep", "vim", "oss")) == []


async def killed_during(operator: LoneOperator, operation: LcmOperation, identifier: str, instant: float) -> None:
    """Kill the operator so many seconds after the operation was asked for, and start it again."""
    asking = asyncio.create_task(ask(operator, operation, identifier))
    await asyncio.sleep(instant)
    operator.kill()
    await asking
    await operator.start()
