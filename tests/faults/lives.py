"""Operations that are cut off by the end of the operator, and what becomes of them after it has started again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any

from hanse.assembly.administration import Administration, administration
from hanse.kit.contract.declare import Accepted
from hanse.kit.problems import Problem
from hanse.refpoints.mm1.lifecycle import (
    AppLcmOpOcc,
    CreateAppInstanceRequest,
    InstantiateAppRequest,
    LcmOperation,
    OperateAppRequest,
    OperationalState,
    OperationState,
    StopType,
    TerminateAppRequest,
)
from tests.faults.operators import LoneOperator
from tests.faults.remains import PATIENCE, assert_nothing_at_the_host, assert_unmentioned

Ask = Callable[[Administration, str], Coroutine[Any, Any, Accepted]]
GRACE = 10
"""Seconds in which an app must confirm its termination; the beacon does at once."""
AFTERMATH = 0.5
"""Seconds in which an operation's last commits (its report upwards, the outbox's) come after it is COMPLETED."""


async def instantiate(oss: Administration, identifier: str) -> Accepted:
    """Ask for instantiation."""
    return await oss.lifecycle.instantiate(identifier, InstantiateAppRequest())


async def terminate(oss: Administration, identifier: str) -> Accepted:
    """Ask for graceful termination."""
    request = TerminateAppRequest(termination_type=StopType.GRACEFUL, graceful_termination_timeout=GRACE)
    return await oss.lifecycle.terminate(identifier, request)


async def stop(oss: Administration, identifier: str) -> Accepted:
    """Ask for a graceful stop."""
    request = OperateAppRequest(
        change_state_to=OperationalState.STOPPED, stop_type=StopType.GRACEFUL, graceful_stop_timeout=GRACE
    )
    return await oss.lifecycle.operate(identifier, request)


ASK: dict[LcmOperation, Ask] = {
    LcmOperation.INSTANTIATE: instantiate,
    LcmOperation.TERMINATE: terminate,
    LcmOperation.OPERATE: stop,
}


async def created(operator: LoneOperator, app_d_id: str) -> str:
    """A new instance's id."""
    async with administration(operator.settings) as oss:
        return (await oss.lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=app_d_id))).value.id


async def deleted(operator: LoneOperator, identifier: str) -> None:
    """Delete an instance."""
    async with administration(operator.settings) as oss:
        await oss.lifecycle.delete_instance(identifier)


async def ask(operator: LoneOperator, operation: LcmOperation, identifier: str) -> None:
    """Ask for an operation; the operator may die before it has answered."""
    async with administration(operator.settings) as oss:
        with contextlib.suppress(Problem):
            await ASK[operation](oss, identifier)


async def completed(
    operator: LoneOperator, operation: LcmOperation, identifier: str, patience: float = GRACE + PATIENCE
) -> None:
    """Wait until the operation is COMPLETED; one of which the dead operator had written nothing is asked for again."""
    async with administration(operator.settings) as oss:
        if not await _found(oss, operation, identifier):
            await ASK[operation](oss, identifier)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            (last,) = await _found(oss, operation, identifier)
            if last.operation_state not in (OperationState.STARTING, OperationState.PROCESSING):
                break
            await asyncio.sleep(0.03)
        assert last.operation_state is OperationState.COMPLETED, last


async def started(operator: LoneOperator, app_d_id: str) -> str:
    """A new instance that runs; its id."""
    identifier = await created(operator, app_d_id)
    await completed(operator, LcmOperation.INSTANTIATE, identifier)
    return identifier


async def ended(operator: LoneOperator, identifier: str) -> None:
    """Terminated, if need be, and deleted: nothing in any record speaks of it any more."""
    await completed(operator, LcmOperation.TERMINATE, identifier)
    await assert_nothing_at_the_host(operator, identifier)
    await deleted(operator, identifier)
    await assert_unmentioned(operator, identifier)


async def shown(operator: LoneOperator, identifier: str, state: OperationalState) -> bool:
    """Whether the instance is shown in an operational state, in good time."""
    async with administration(operator.settings) as oss:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            running = (await oss.lifecycle.read_instance(identifier)).instantiated_app_state
            if getattr(running, "operational_state", None) is state:
                return True
            await asyncio.sleep(0.05)
    return False


async def _found(oss: Administration, operation: LcmOperation, identifier: str) -> list[AppLcmOpOcc]:
    return [
        found
        for found in await oss.lifecycle.list_operations()
        if found.lcm_operation is operation and found.links.app_instance.href.endswith(identifier)
    ]


async def dies_at(operator: LoneOperator, failpoint: str, operation: LcmOperation, identifier: str) -> bool:
    """Carry an operation out while the operator is killed at a failpoint; ``False`` if it never came by there.

    The operator runs again, unarmed, when this returns.
    """
    operator.arm(failpoint)
    await ask(operator, operation, identifier)
    died = await _dies_first(operator, operation, identifier)
    if not died:
        operator.disarm()
        died = await operator.death(AFTERMATH)  # it may have read its orders just before
    if died:
        await operator.start()
    return died


async def _dies_first(operator: LoneOperator, operation: LcmOperation, identifier: str) -> bool:
    """Whether it dies before the operation, and what follows from it, is at its end."""
    async with administration(operator.settings) as oss:
        deadline = time.monotonic() + GRACE + PATIENCE
        while operator.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(Problem):
                found = await _found(oss, operation, identifier)
                if found and found[0].operation_state is OperationState.COMPLETED:
                    return await operator.death(AFTERMATH)
            await asyncio.sleep(0.03)
    return operator.process.poll() is not None
