"""The rule that an operator put first takes a flow, and no flow that its filters do not describe."""

from __future__ import annotations

import random

import pytest

from hanse.drivers.dataplane_userspace.rules import Rule, by_priority, decide, read_rule
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch

FLOW = ("127.9.0.5", 40000, "127.8.0.1", 80, "tcp")


def rule(rule_id: str, *matches: TrafficMatch, priority: int = 10, to_port: int | None = 8080) -> Rule:
    return read_rule(
        Forwarding(
            rule_id=rule_id,
            owner="app",
            priority=priority,
            filter_type=FilterType.FLOW,
            matches=matches,
            action=Action.PASSTHROUGH,
            to_address="127.3.0.7",
            to_port=ABSENT if to_port is None else to_port,
        )
    )


def taken_by(*rules: Rule) -> str | None:
    decision = decide(by_priority(rules), *FLOW)
    return decision.rule_id if decision else None


def test_an_empty_filter_matches_everything() -> None:
    assert taken_by(rule("r", TrafficMatch())) == "r"


@pytest.mark.parametrize(
    "match",
    [
        TrafficMatch(src_address=("127.9.0.6",)),
        TrafficMatch(dst_address=("127.8.0.2",)),
        TrafficMatch(src_port=("1-39999",)),
        TrafficMatch(dst_port=("81",)),
        TrafficMatch(protocol=("udp",)),
        TrafficMatch(src_address=("127.9.0.5",), dst_port=("81",)),
        TrafficMatch(src_address=()),
    ],
)
def test_one_attribute_that_differs_keeps_a_flow_out(match: TrafficMatch) -> None:
    assert taken_by(rule("r", match)) is None


def test_values_of_an_attribute_are_alternatives_and_so_are_filters() -> None:
    assert taken_by(rule("r", TrafficMatch(dst_port=("443", "79-81"), protocol=("udp", "TCP")))) == "r"
    assert taken_by(rule("r", TrafficMatch(dst_port=("443",)), TrafficMatch(src_port=("40000",)))) == "r"


def test_priority_zero_comes_first_and_equal_priorities_always_in_the_same_order() -> None:
    rules = [rule("z", TrafficMatch(), priority=0), *(rule(n, TrafficMatch(), priority=9) for n in "abc")]
    for seed in range(5):
        random.Random(seed).shuffle(rules)
        assert [r.forwarding.rule_id for r in by_priority(rules)] == ["z", "a", "b", "c"]


def test_a_first_rule_that_does_not_fit_leaves_the_flow_to_the_next() -> None:
    assert taken_by(rule("a", TrafficMatch(dst_port=("81",)), priority=0), rule("b", TrafficMatch())) == "b"


def test_no_rule_takes_nothing() -> None:
    assert taken_by() is None


def test_without_a_port_of_its_own_a_rule_keeps_the_dialled_one() -> None:
    assert rule("r", TrafficMatch()).target(80) == ("127.3.0.7", 8080)
    assert rule("r", TrafficMatch(), to_port=None).target(80) == ("127.3.0.7", 80)


def test_numbers_of_protocols_mean_the_same_as_their_names() -> None:
    assert taken_by(rule("r", TrafficMatch(protocol=("6",)))) == "r"
    assert taken_by(rule("r", TrafficMatch(protocol=(" 17 ",)))) is None
    assert rule("r", TrafficMatch(protocol=("17", "udp", "TCP"))).filters[0].protocols == ("tcp", "udp")


def test_a_protocol_that_is_not_carried_is_refused() -> None:
    with pytest.raises(Problem, match=r"400 protocol.*tcp or udp; got sctp"):
        rule("r", TrafficMatch(protocol=("tcp", "sctp")))


def test_a_rule_without_a_filter_is_refused() -> None:
    with pytest.raises(Problem, match="400 matches is empty"):
        rule("r")
