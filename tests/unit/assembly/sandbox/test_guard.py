"""A developer who mistypes an instance id learns that there is none, and of another's that it is not theirs."""

from __future__ import annotations

import pytest

from hanse.assembly.sandbox.guard import SandboxGuard
from hanse.kit.contract.call import Caller
from hanse.kit.contract.guard import Guard
from hanse.kit.problems import Problem
from hanse.refpoints.mp1.support import ApplicationSupport
from hanse.refpoints.table import REFERENCE_POINTS

MINE = Caller(role="app", name="app.mine", operator="sandbox", subject="mine")


def refused(guard: Guard, instance: str, caller: Caller = MINE) -> int:
    with pytest.raises(Problem) as caught:
        guard.admit(ApplicationSupport, "mep", "confirm_ready", caller, {"app_instance_id": instance}, "sandbox")
    return caught.value.status


@pytest.mark.parametrize(("instance", "status"), [("none", 404), ("theirs", 403), ("", 404), ("x" * 9000, 404)])
def test_an_instance_that_is_not_there_is_told_from_anothers(instance: str, status: int) -> None:
    guard = SandboxGuard(REFERENCE_POINTS, {"mine", "theirs"}.__contains__)
    assert refused(guard, instance) == status
    assert guard.admit(ApplicationSupport, "mep", "confirm_ready", MINE, {"app_instance_id": "mine"}, "sandbox")


def test_who_may_not_call_at_all_learns_nothing_of_what_is_there() -> None:
    stranger = Caller(role="device", name="device.x", operator="sandbox", subject="none")
    assert refused(SandboxGuard(REFERENCE_POINTS, lambda _instance: False), "none", stranger) == 403


def test_a_platform_of_an_operator_tells_nobody_which_instances_it_has() -> None:
    assert {refused(Guard(REFERENCE_POINTS), instance) for instance in ("none", "theirs")} == {403}
