"""Operation occurrences as every producer of the lifecycle API keeps them (ETSI GS MEC 010-2 V3.1.1, 6.2.2.13)."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from hanse.kit.problems import ProblemDetails, bad_request, conflict
from hanse.kit.values import ABSENT, Absent, Link, TimeStamp, Value
from hanse.refpoints.mm1.lifecycle import (
    AppLcmOpOcc,
    InstantiationState,
    LcmOperation,
    OperateAppRequest,
    OperationalState,
    OperationLinks,
    OperationState,
    StopType,
    TerminateAppRequest,
)

LIVE = (OperationState.STARTING, OperationState.PROCESSING)


class Occurrence(Value):
    """An operation on an instance; times in Unix seconds, ``params`` is the request."""

    id: str
    app_instance_id: str
    operation: LcmOperation
    state: OperationState
    started: float
    entered: float
    tenant: str
    params: dict[str, Any] = {}
    trace: str = ""
    error: ProblemDetails | None = None

    @property
    def live(self) -> bool:
        """Whether it still goes on."""
        return self.state in LIVE


def begun(
    identifier: str, app_instance_id: str, operation: LcmOperation, request: Any, tenant: str, trace: str
) -> Occurrence:
    """An operation that begins now."""
    now = time.time()
    return Occurrence(
        id=identifier,
        app_instance_id=app_instance_id,
        operation=operation,
        state=OperationState.PROCESSING,
        started=now,
        entered=now,
        tenant=tenant,
        params=msgspec.to_builtins(request),
        trace=trace,
    )


def entered(occurrence: Occurrence, state: OperationState, error: ProblemDetails | None = None) -> Occurrence:
    """The operation in another state, from now on."""
    return msgspec.structs.replace(occurrence, state=state, entered=time.time(), error=error)


def represent(occurrence: Occurrence, base: str) -> AppLcmOpOcc:
    """The operation as it stands on the wire; ``base`` is the URI below which the API is served."""
    return AppLcmOpOcc(
        id=occurrence.id,
        operation_state=occurrence.state,
        state_entered_time=moment(occurrence.entered),
        start_time=moment(occurrence.started),
        lcm_operation=occurrence.operation,
        operation_params=occurrence.params,
        error=occurrence.error or ABSENT,
        links=OperationLinks(
            self=Link(href=f"{base}/app_lcm_op_occs/{occurrence.id}"),
            app_instance=Link(href=f"{base}/app_instances/{occurrence.app_instance_id}"),
        ),
    )


def moment(seconds: float) -> TimeStamp:
    """Unix seconds as a TimeStamp."""
    whole = int(seconds)
    return TimeStamp(seconds=whole, nano_seconds=int((seconds - whole) * 1e9))


ALLOWED: dict[LcmOperation, InstantiationState] = {
    LcmOperation.INSTANTIATE: InstantiationState.NOT_INSTANTIATED,
    LcmOperation.OPERATE: InstantiationState.INSTANTIATED,
    LcmOperation.TERMINATE: InstantiationState.INSTANTIATED,
}
"""The state in which an instance must be for an operation to begin (7.4.6 to 7.4.8)."""


def check_may_begin(operation: LcmOperation, state: InstantiationState, live: Occurrence | None) -> None:
    """409 if the instance is in another state, or another operation on it goes on."""
    if live is not None:
        raise conflict("Another operation goes on", f"{live.operation} {live.id} is {live.state}")
    if state is not ALLOWED[operation]:
        raise conflict(f"Instance is {state}", f"{operation} needs {ALLOWED[operation]}")


def check_operate(request: OperateAppRequest, running: OperationalState | None) -> None:
    """400 for a stop type or timeout that does not go with the rest, 409 for the state that it has (6.2.2.8)."""
    stopping = request.change_state_to is OperationalState.STOPPED
    graceful = request.stop_type is StopType.GRACEFUL
    if not stopping and request.stop_type is not ABSENT:
        raise bad_request("Unexpected attribute stopType", "only with changeStateTo STOPPED")
    if graceful != isinstance(request.graceful_stop_timeout, int):
        raise bad_request("Invalid attribute gracefulStopTimeout", "seconds, with stopType GRACEFUL and only with it")
    _check_seconds("gracefulStopTimeout", request.graceful_stop_timeout)
    if running is request.change_state_to:
        raise conflict(f"App is {running}", "it can only be changed to the other state")


def check_terminate(request: TerminateAppRequest) -> None:
    """400 for a timeout without GRACEFUL (6.2.2.9)."""
    if request.termination_type is StopType.FORCEFUL and request.graceful_termination_timeout is not ABSENT:
        raise bad_request("Unexpected attribute gracefulTerminationTimeout", "only with terminationType GRACEFUL")
    _check_seconds("gracefulTerminationTimeout", request.graceful_termination_timeout)


def _check_seconds(name: str, value: int | Absent) -> None:
    if isinstance(value, int) and not 0 < value <= 86400:
        raise bad_request(f"Invalid attribute {name}", "1 to 86400 seconds")
