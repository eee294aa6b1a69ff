"""A flow is decided as by asking every rule in its order, however the rules are kept and however many there are."""

from __future__ import annotations

import random
import time

from hanse.drivers.dataplane_userspace.endpoints import Endpoint, endpoints
from hanse.drivers.dataplane_userspace.index import RuleIndex
from hanse.drivers.dataplane_userspace.rules import Rule, by_priority, decide, read_rule
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch

SOURCES = [f"127.9.0.{n}" for n in range(6)]
TARGETS = [f"127.8.0.{n}" for n in range(3)]
PORTS = (80, 81)


def rule(rule_id: str, priority: int, *matches: TrafficMatch, action: Action = Action.PASSTHROUGH) -> Rule:
    to_address = ABSENT if action is Action.DROP else "127.3.0.7"
    found = Forwarding(
        rule_id=rule_id,
        owner="a",
        priority=priority,
        filter_type=FilterType.FLOW,
        matches=matches,
        action=action,
        to_address=to_address,
    )
    return read_rule(found)


def drawn(rng: random.Random, number: int) -> Rule:
    """A rule for some sources, a range of them or all, at one or two places; some drop and are for any place."""
    matches = []
    for _ in range(rng.choice((1, 1, 2))):
        source = rng.choice(((rng.choice(SOURCES),), tuple(rng.sample(SOURCES, 2)), ("127.9.0.0/30",), ABSENT))
        target, port = tuple(rng.sample(TARGETS, rng.choice((1, 2)))), (str(rng.choice(PORTS)),)
        matches.append(TrafficMatch(src_address=source, dst_address=target, dst_port=port, protocol=("tcp",)))
    action = Action.DROP if rng.random() < 0.2 else Action.PASSTHROUGH
    return rule(f"r{number}", rng.randrange(5), *matches, action=action)


def listens(found: Rule) -> frozenset[Endpoint]:
    return endpoints(found)


def test_every_flow_is_decided_as_if_all_rules_were_asked_in_order() -> None:
    rng = random.Random(11)
    decided = 0
    for _ in range(60):
        index, rules = RuleIndex(), [drawn(rng, number) for number in range(rng.randrange(1, 25))]
        for found in rules:
            index.add(found, listens(found))
        for gone in rng.sample(rules, len(rules) // 3):
            index.remove(gone, listens(gone))
            rules.remove(gone)
        for source in [*SOURCES, "127.9.9.9"]:
            for target in TARGETS:
                for port in PORTS:
                    flow = (source, 4000, target, port, "tcp")
                    wanted = decide(by_priority(rules), *flow)
                    endpoint = Endpoint("tcp", target, port)
                    assert decide(index.candidates(source, endpoint), *flow) == wanted
                    first = next((r for r in by_priority(rules) if endpoint in listens(r)), None)
                    assert index.first_listening(endpoint) is first
                    decided += wanted is not None
    assert decided > 500, "most flows are taken by some rule"


def test_what_was_taken_out_leaves_nothing_behind() -> None:
    rng = random.Random(5)
    index, rules = RuleIndex(), [drawn(rng, number) for number in range(50)]
    for found in rules:
        index.add(found, listens(found))
    for found in rules:
        index.remove(found, listens(found))
    assert index._spots == {}
    assert not index._anywhere.every
    assert not index._anywhere._by_source


def test_a_flow_is_decided_in_no_more_time_among_ten_thousand_rules_of_one_address() -> None:
    few, many = _admitting(10), _admitting(10_000)
    assert min(many) < 5 * min(few), "asking each would take a thousand times as long"


def _admitting(rules: int) -> list[float]:
    """Seconds of decisions among rules that admit a device each to the same application."""
    index, endpoint = RuleIndex(), Endpoint("tcp", TARGETS[0], 80)
    for n in range(rules):
        source = (f"127.9.{n // 250}.{n % 250}",)
        match = TrafficMatch(src_address=source, dst_address=(TARGETS[0],), dst_port=("80",), protocol=("tcp",))
        found = rule(f"r{n}", 1, match)
        index.add(found, listens(found))
    taken = []
    for _ in range(20):
        began = time.perf_counter()
        assert decide(index.candidates("127.9.0.9", endpoint), "127.9.0.9", 1, TARGETS[0], 80, "tcp")
        taken.append(time.perf_counter() - began)
    return taken
