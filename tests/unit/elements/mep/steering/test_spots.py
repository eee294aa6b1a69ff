"""No rule that meets another is left out of those that are asked."""

from __future__ import annotations

import random

import pytest

from hanse.elements.mep.steering.anycast import foreign
from hanse.elements.mep.steering.elsewhere import Elsewhere
from hanse.elements.mep.steering.spots import EVERY, MOST_PORTS, asked, words
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch
from hanse.refpoints.mp3.services import SharedRule

ADDRESSES = ("127.9.1.1", "127.9.1.2", "127.9.1.0/24", "")
PORTS = ("80", "81", "8000-8010", "")
PROTOCOLS = ("tcp", "udp", "17", "")


def match(draw: random.Random) -> TrafficMatch:
    """A filter of a few values of each attribute, or none."""
    values = [tuple(draw.sample(some, draw.randint(0, 2))) for some in (ADDRESSES, PORTS, PROTOCOLS)]
    address, port, protocol = ([each for each in some if each] for some in values)
    return TrafficMatch(
        dst_address=tuple(address) or ABSENT, dst_port=tuple(port) or ABSENT, protocol=tuple(protocol) or ABSENT
    )


def shared(name: str, *matches: TrafficMatch, package: str = "theirs") -> SharedRule:
    forwarding = Forwarding(
        rule_id=name,
        owner=name,
        priority=1,
        filter_type=FilterType.FLOW,
        matches=matches,
        action=Action.FORWARD_DECAPSULATED,
        to_address="127.9.0.100",
    )
    return SharedRule(app_d_id=package, traffic_rule_id="in", forwarding=forwarding)


@pytest.mark.parametrize("seed", range(20))
def test_to_ask_those_under_the_words_of_a_filter_finds_whatever_asking_all_finds(seed: int) -> None:
    draw = random.Random(seed)
    others = [shared(f"other{n}", *(match(draw) for _ in range(draw.randint(1, 3)))) for n in range(40)]
    elsewhere = Elsewhere((), ours=lambda _: False)
    elsewhere.change("airport", (), others)
    meeting = 0
    for number in range(100):
        mine = shared(f"mine{number}", match(draw), package="mine").forwarding
        found = [rule for each in mine.matches for rule in elsewhere.met(each)]
        assert foreign(mine, found, "mine") == foreign(mine, others, "mine")
        for other in others:
            if foreign(mine, [other], "mine"):
                meeting += 1
                assert other in found
    assert meeting > 100


def test_a_filter_with_very_many_ports_is_kept_under_few_words() -> None:
    many = TrafficMatch(dst_address=("127.9.1.1",), dst_port=tuple(str(port) for port in range(MOST_PORTS + 1)))
    assert words(shared("a", many).forwarding) == {EVERY, ("127.9.1.1",), ("127.9.1.1", "")}
    assert ("127.9.1.1",) in asked(many)


def test_a_rule_at_another_address_is_not_asked() -> None:
    here, there = (TrafficMatch(dst_address=(at,), dst_port=("80",)) for at in ADDRESSES[:2])
    assert not words(shared("a", here).forwarding) & asked(there)
