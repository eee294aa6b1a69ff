"""What an operator sets as a limit holds, and what it does not set limits nobody."""

from __future__ import annotations

import msgspec
import pytest

from hanse.assembly.limits import LimitSettings, LivenessSettings
from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.service_management.liveness import LivenessPolicy
from hanse.kit.contract.call import Caller
from hanse.kit.problems import Problem

APP = Caller(role="app", name="app.a", operator="north", subject="a")
ELEMENT = Caller(role="meo", name="meo", operator="north", trusted=True)


def admitted(limits: LimitSettings, caller: Caller, most: int = 50) -> int:
    """How many calls at once are let in."""
    limit = limits.rate()
    assert limit is not None
    limit._clock = lambda: 0.0  # at once, however long the machine takes over them
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


@pytest.mark.parametrize("name", ["app_services", "app_subscriptions", "app_tags", "app_notices", "partner_names"])
def test_what_an_app_or_a_partner_may_have_is_at_least_one(name: str) -> None:
    bad = [msgspec.structs.replace(LimitSettings(), **{name: value}) for value in (0, -1, 1_000_001)]
    assert [[key for key, _, good in limits.checks() if not good] for limits in bad] == [[f"limits.{name}"]] * 3
    for value in (1, 1_000_000):
        assert all(good for _, _, good in msgspec.structs.replace(LimitSettings(), **{name: value}).checks())


def test_a_platform_holds_its_apps_to_what_is_set() -> None:
    assert LimitSettings().quotas() == Quotas()
    assert all(good for _, _, good in LimitSettings().checks())
    wanted = Quotas(app_services=1, app_subscriptions=2, app_tags=3, app_record_bytes=4096, app_notices=5)
    assert LimitSettings(**msgspec.structs.asdict(wanted)).quotas() == wanted
    assert [k for k, _, good in LimitSettings(app_record_bytes=10).checks() if not good] == ["limits.app_record_bytes"]
