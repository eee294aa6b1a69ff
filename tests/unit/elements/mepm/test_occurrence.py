"""Which operation may begin, and which request makes sense (ETSI GS MEC 010-2 V3.1.1, 6.2.2.8, 6.2.2.9, 7.4)."""

from __future__ import annotations

from typing import Any

import pytest

from hanse.kit.problems import Problem, ProblemDetails
from hanse.kit.values import ABSENT
from hanse.refpoints.mm1.lifecycle import (
    InstantiateAppRequest,
    InstantiationState,
    LcmOperation,
    OperateAppRequest,
    OperationalState,
    OperationState,
    StopType,
    TerminateAppRequest,
)
from hanse.refpoints.mm1.occurrence import (
    begun,
    check_may_begin,
    check_operate,
    check_terminate,
    entered,
    moment,
    represent,
)

FREE, THERE = InstantiationState.NOT_INSTANTIATED, InstantiationState.INSTANTIATED
STARTED, STOPPED = OperationalState.STARTED, OperationalState.STOPPED
LIVE = begun("o", "one", LcmOperation.INSTANTIATE, InstantiateAppRequest(), "acme", "trace")


@pytest.mark.parametrize(
    ("operation", "fits", "not_fits"),
    [
        (LcmOperation.INSTANTIATE, FREE, THERE),
        (LcmOperation.TERMINATE, THERE, FREE),
        (LcmOperation.OPERATE, THERE, FREE),
    ],
)
def test_an_operation_begins_only_in_its_state(
    operation: LcmOperation, fits: InstantiationState, not_fits: InstantiationState
) -> None:
    check_may_begin(operation, fits, None)
    with pytest.raises(Problem, match=f"{operation} needs {fits}") as caught:
        check_may_begin(operation, not_fits, None)
    assert caught.value.status == 409
    with pytest.raises(Problem, match="INSTANTIATE o is PROCESSING"):
        check_may_begin(operation, fits, LIVE)


@pytest.mark.parametrize(
    ("request_", "running"),
    [
        ({"change_state_to": STARTED}, STOPPED),
        ({"change_state_to": STOPPED}, STARTED),
        ({"change_state_to": STOPPED, "stop_type": StopType.FORCEFUL}, STARTED),
        ({"change_state_to": STOPPED, "stop_type": StopType.GRACEFUL, "graceful_stop_timeout": 86400}, STARTED),
    ],
)
def test_a_sound_request_to_start_or_stop_passes(request_: dict[str, Any], running: OperationalState) -> None:
    check_operate(OperateAppRequest(**request_), running)


@pytest.mark.parametrize(
    ("request_", "status", "title"),
    [
        ({"change_state_to": STARTED, "stop_type": StopType.FORCEFUL}, 400, "stopType"),
        ({"change_state_to": STARTED, "graceful_stop_timeout": 1}, 400, "gracefulStopTimeout"),
        ({"change_state_to": STOPPED, "stop_type": StopType.GRACEFUL}, 400, "gracefulStopTimeout"),
        (
            {"change_state_to": STOPPED, "stop_type": StopType.GRACEFUL, "graceful_stop_timeout": 0},
            400,
            "gracefulStopTimeout",
        ),
        (
            {"change_state_to": STOPPED, "stop_type": StopType.GRACEFUL, "graceful_stop_timeout": 86401},
            400,
            "gracefulStopTimeout",
        ),
        (
            {"change_state_to": STOPPED, "stop_type": StopType.FORCEFUL, "graceful_stop_timeout": 5},
            400,
            "gracefulStopTimeout",
        ),
        ({"change_state_to": STARTED}, 409, "App is STARTED"),
    ],
)
def test_a_request_that_contradicts_itself_or_the_state_is_refused_by_name(
    request_: dict[str, Any], status: int, title: str
) -> None:
    with pytest.raises(Problem, match=title) as caught:
        check_operate(OperateAppRequest(**request_), STARTED)
    assert caught.value.status == status


@pytest.mark.parametrize("timeout", [ABSENT, 1, 86400])
def test_a_graceful_end_may_have_a_timeout(timeout: Any) -> None:
    check_terminate(TerminateAppRequest(termination_type=StopType.GRACEFUL, graceful_termination_timeout=timeout))


@pytest.mark.parametrize(
    ("kind", "timeout"),
    [(StopType.FORCEFUL, 5), (StopType.GRACEFUL, 0), (StopType.GRACEFUL, -1), (StopType.GRACEFUL, 86401)],
)
def test_a_timeout_that_makes_no_sense_is_refused(kind: StopType, timeout: int) -> None:
    with pytest.raises(Problem, match="gracefulTerminationTimeout") as caught:
        check_terminate(TerminateAppRequest(termination_type=kind, graceful_termination_timeout=timeout))
    assert caught.value.status == 400


def test_an_operation_is_told_with_its_times_its_error_and_its_links() -> None:
    assert LIVE.live
    failed = entered(LIVE, OperationState.FAILED, ProblemDetails(title="No room", status=409))
    assert not failed.live
    told = represent(failed, "https://here/app_lcm/v1")
    assert told.links.self.href == "https://here/app_lcm/v1/app_lcm_op_occs/o"
    assert told.links.app_instance.href == "https://here/app_lcm/v1/app_instances/one"
    assert told.error is not ABSENT
    assert told.error.title == "No room"
    assert told.state_entered_time.seconds >= told.start_time.seconds


def test_a_moment_is_split_into_seconds_and_nanoseconds() -> None:
    assert (moment(1.5).seconds, moment(1.5).nano_seconds) == (1, 500_000_000)
