"""What an operator sets as a limit holds, and what it does not set limits nobody."""

from __future__ import annotations

import pytest

from hanse.assembly.limits import LimitSettings, LivenessSettings
from hanse.elements.mep.liveness import LivenessPolicy
from hanse.kit.contract.call import Caller
from hanse.kit.problems import Problem

APP = Caller(role="app", name="app.a", operator="north", subject="a")
ELEMENT = Caller(role="meo", name="meo", operator="north", trusted=True)


def admitted(limits: LimitSettings, caller: Caller, most: int = 50) -> int:
    """How many calls at once are let in."""
    limit = limits.rate()
    assert limit is not None
    for count in range(most):
        try:
            limit.admit(caller)
        except Problem:
            return count
    return most


def test_nobody_is_limited_unless_that_is_set() -> None:
    assert LimitSettings().rate() is None


@pytest.mark.parametrize(
    ("limits", "calls"),
    [
        (LimitSettings(requests_per_second=7), 7),
        (LimitSettings(requests_per_second=0.1), 1),
        (LimitSettings(requests_per_second=1, burst=20), 20),
    ],
)
def test_a_burst_is_what_is_set_or_the_calls_of_a_second(limits: LimitSettings, calls: int) -> None:
    assert admitted(limits, APP) == calls


def test_elements_are_limited_only_where_that_is_set() -> None:
    assert admitted(LimitSettings(requests_per_second=1), ELEMENT) == 50
    assert admitted(LimitSettings(requests_per_second=1, elements=True), ELEMENT) == 1


def test_a_platform_requires_what_its_host_is_set_to() -> None:
    assert LivenessSettings().policy() == LivenessPolicy()
    assert LivenessSettings(interval=5, longest=9, misses=1).policy() == LivenessPolicy(interval=5, longest=9, misses=1)
