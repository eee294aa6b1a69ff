"""Who calls too often is told when to come again, and nobody else is any slower (MEC 009, Annex E)."""

from __future__ import annotations

import contextlib

import pytest

from hanse.kit.contract import rate as rate_module
from hanse.kit.contract.call import Caller
from hanse.kit.contract.rate import RateLimit
from hanse.kit.problems import Problem


class Hands:
    now = 50.0


def caller(name: str, role: str = "app", *, trusted: bool = False) -> Caller:
    return Caller(role=role, name=name, operator="north", subject=name, trusted=trusted)


def admitted(limit: RateLimit, who: Caller, times: int) -> int:
    count = 0
    for _ in range(times):
        with contextlib.suppress(Problem):
            limit.admit(who)
            count += 1
    return count


def test_a_burst_passes_and_then_the_rate() -> None:
    hands = Hands()
    limit = RateLimit(10, 5, clock=lambda: hands.now)
    assert admitted(limit, caller("a"), 20) == 5
    hands.now += 0.3
    assert admitted(limit, caller("a"), 20) == 3
    hands.now += 1000
    assert admitted(limit, caller("a"), 20) == 5


def test_over_time_the_rate_holds_however_the_calls_fall() -> None:
    hands = Hands()
    limit = RateLimit(10, 5, clock=lambda: hands.now)
    count = 0
    for _ in range(1000):
        count += admitted(limit, caller("a"), 1)
        hands.now += 0.01
    assert 100 <= count <= 106


def test_one_caller_does_not_use_up_what_is_anothers() -> None:
    hands = Hands()
    limit = RateLimit(1, 2, clock=lambda: hands.now)
    assert admitted(limit, caller("a"), 10) == 2
    assert admitted(limit, caller("b"), 10) == 2
    assert admitted(limit, caller("a", "client"), 10) == 2


def test_the_refusal_says_when_to_come_again_and_it_is_true() -> None:
    hands = Hands()
    limit = RateLimit(0.5, 1, clock=lambda: hands.now)
    limit.admit(caller("a"))
    with pytest.raises(Problem) as caught:
        limit.admit(caller("a"))
    assert caught.value.headers == {"Retry-After": "2"}
    assert "0.5 requests a second" in caught.value.detail
    hands.now += 2
    limit.admit(caller("a"))


def test_elements_of_the_operator_are_limited_only_if_that_is_wanted() -> None:
    element = caller("meo", "meo", trusted=True)
    assert admitted(RateLimit(1, 1), element, 100) == 100
    assert admitted(RateLimit(1, 1, elements=True), element, 100) == 1


def test_callers_of_yesterday_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_module, "MOST_CALLERS", 10)
    hands = Hands()
    limit = RateLimit(1, 2, clock=lambda: hands.now)
    for number in range(100):
        hands.now += 1.5
        limit.admit(caller(str(number)))
    assert len(limit._full) <= 11


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_limit_that_lets_nobody_in_is_a_mistake(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        RateLimit(rate, burst)
