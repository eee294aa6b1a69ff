"""A flow is decided as by asking every rule in its order, however the rules are kept and however many there are."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import product

from hanse.drivers.dataplane_userspace.endpoints import ANYWHERE, Endpoint
from hanse.drivers.dataplane_userspace.index import Listened, RuleIndex
from hanse.drivers.dataplane_userspace.listening import listening
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
    """A rule for some sources, a range of them or all, at one or two places, at a range of them or at all."""
    matches = []
    for _ in range(rng.choice((1, 1, 2))):
        source = rng.choice(((rng.choice(SOURCES),), tuple(rng.sample(SOURCES, 2)), ("127.9.0.0/30",), ABSENT))
        target = rng.choice((tuple(rng.sample(TARGETS, rng.choice((1, 2)))), ("127.8.0.0/16",), ABSENT))
        port = rng.choice(((str(rng.choice(PORTS)),), ("1-80",), ABSENT))
        protocol = rng.choice((("tcp",), ("udp",), ABSENT))
        matches.append(TrafficMatch(src_address=source, dst_address=target, dst_port=port, protocol=protocol))
    action = Action.DROP if rng.random() < 0.2 else Action.PASSTHROUGH
    return rule(f"r{number}", rng.randrange(5), *matches, action=action)


def listens(found: Rule) -> frozenset[Endpoint]:
    return listening(found).fixed


def test_every_flow_is_decided_as_if_all_rules_were_asked_in_order() -> None:
    rng = random.Random(11)
    decided = 0
    for _ in range(60):
        index, rules = RuleIndex(), [drawn(rng, number) for number in range(rng.randrange(1, 25))]
        for found in rules:
            index.add(found)
        for gone in rng.sample(rules, len(rules) // 3):
            index.remove(gone)
            rules.remove(gone)
        for source, target, port in product([*SOURCES, "127.9.9.9"], TARGETS, PORTS):
            flow = (source, 4000, target, port, "tcp")
            wanted = decide(by_priority(rules), *flow)
            asked = list(index.candidates(source, Endpoint("tcp", target, port)))
            assert decide(asked, *flow) == wanted
            assert asked == by_priority(set(asked)), "each once, in its order"
            decided += wanted is not None
    assert decided > 500, "most flows are taken by some rule"


def test_what_was_taken_out_leaves_nothing_behind() -> None:
    rng = random.Random(5)
    index, listened, rules = RuleIndex(), Listened(), [drawn(rng, number) for number in range(50)]
    for found in rules:
        index.add(found)
        listened.add(found, listens(found))
    for found in rules:
        index.remove(found)
        listened.remove(found, listens(found))
    assert index._spots == {}
    assert listened._at == {}


def test_the_first_rule_that_listens_at_an_address_or_at_all_of_them_is_found() -> None:
    here, everywhere = Endpoint("tcp", TARGETS[0], 80), Endpoint("tcp", ANYWHERE, 80)
    early, late = rule("early", 1, TrafficMatch()), rule("late", 2, TrafficMatch())
    for at in ((here, everywhere), (everywhere, here)):
        listened = Listened()
        assert listened.first(here) is None
        listened.add(late, [at[0]])
        assert listened.first(here) is late
        listened.add(early, [at[1]])
        assert listened.first(here) is early
        assert listened.first(Endpoint("tcp", TARGETS[1], 80)) is (early if at[1] is everywhere else late)
        listened.remove(early, [at[1]])
        assert listened.first(here) is late


def test_a_flow_is_decided_in_no_more_time_among_ten_thousand_rules_for_every_address() -> None:
    def ports(n: int) -> TrafficMatch:
        return TrafficMatch(dst_port=(str(1024 + n),), protocol=("tcp",))

    few, many = _asked(10, ports), _asked(10_000, ports)
    assert few == many == ["r3"], "only the one of that port is asked"


def test_a_flow_is_decided_in_no_more_time_among_ten_thousand_rules_for_every_port() -> None:
    def addresses(n: int) -> TrafficMatch:
        return TrafficMatch(dst_address=(f"127.8.{n // 250}.{n % 250}",), protocol=("tcp",))

    few, many = _asked(10, addresses), _asked(10_000, addresses)
    assert few == many == ["r3"], "only the one of that address is asked"


def _asked(rules: int, match: Callable[[int], TrafficMatch]) -> list[str]:
    """Which of so many rules are asked about a flow to address 3 and port 3."""
    index = RuleIndex()
    for n in range(rules):
        index.add(rule(f"r{n}", 1, match(n)))
    return [r.forwarding.rule_id for r in index.candidates("127.9.0.9", Endpoint("tcp", "127.8.0.3", 1027))]


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
        index.add(found)
    taken = []
    for _ in range(20):
        began = time.perf_counter()
        assert decide(index.candidates("127.9.0.9", endpoint), "127.9.0.9", 1, TARGETS[0], 80, "tcp")
        taken.append(time.perf_counter() - began)
    return taken
