"""A filter counts as granted exactly if every packet that it describes is: nothing is lost or invented by cutting."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import pytest

from hanse.elements.mep.app_rules.overlap import described
from hanse.elements.mep.app_rules.regions import MOST_PIECES, Region, common, regions, uncovered
from hanse.refpoints.mp1.support import TrafficFilter

ROUNDS = 400


def covered(asked: TrafficFilter, *given: TrafficFilter) -> bool:
    covers = [region for each in given for region in regions(described(each))]
    return all(uncovered(region, covers) is None for region in regions(described(asked)))


def to(*addresses: str, **more: Any) -> TrafficFilter:
    return TrafficFilter(dst_address=addresses, **more)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (to("10.0.0.1"), [to("10.0.0.0/24")]),
        (to("10.0.0.0/24"), [to("10.0.0.0/25"), to("10.0.0.128-10.0.0.255")]),
        (to("10.0.0.5-10.0.0.9"), [to("10.0.0.9", "10.0.0.5-10.0.0.8")]),
        (
            to("10.0.0.1", dst_port=("80", "443")),
            [to("10.0.0.1", dst_port=("1-100",)), to("10.0.0.1", dst_port=("443",))],
        ),
        (to("10.0.0.1", dst_port=("80",)), [to("10.0.0.1", protocol=("TCP", "17"))]),
        (to("10.0.0.1", protocol=("6",)), [to("10.0.0.1", protocol=("tcp",))]),
        (to("10.0.0.1", protocol=("tcp",), dst_port=("1-65535",)), [to("10.0.0.1", protocol=("tcp",))]),
        (to("10.0.0.1", protocol=("tcp",)), [to("10.0.0.1", protocol=("tcp",), dst_port=("1-65535",))]),
        (to("fd00::1", protocol=("icmp",)), [to("fd00::/64", protocol=("ipv6-icmp",))]),
        (TrafficFilter(), [TrafficFilter()]),
        (TrafficFilter(), [to("0.0.0.0/0"), to("::/0")]),
        (
            TrafficFilter(),
            [TrafficFilter(src_address=("0.0.0.0/1",)), to("0.0.0.0/0"), TrafficFilter(src_address=("::/0",))],
        ),
        (to("10.0.0.1", tag=("Bob",)), [to("10.0.0.1", tag=("bob", "alice"))]),
        (to("10.0.0.1", dscp=7), [to("10.0.0.1")]),
    ],
)
def test_what_lies_within_the_union_of_what_is_given_is_covered(
    asked: TrafficFilter, given: list[TrafficFilter]
) -> None:
    assert covered(asked, *given)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (to("10.0.0.2"), [to("10.0.0.1")]),
        (to("10.0.0.0/23"), [to("10.0.0.0/24")]),
        (to("10.0.0.1", "10.0.0.3"), [to("10.0.0.1"), to("10.0.0.4/30")]),
        (TrafficFilter(dst_port=("80",)), [to("0.0.0.0/0", dst_port=("80",))]),  # IPv6 as well
        (to("10.0.0.1"), [to("10.0.0.1", dst_port=("1-65535",))]),  # what has no ports
        (to("10.0.0.1", dst_port=("80-81",)), [to("10.0.0.1", dst_port=("80",))]),
        (to("10.0.0.1", dst_port=("80",)), [to("10.0.0.1", protocol=("tcp",))]),  # UDP as well
        (to("10.0.0.1", protocol=("udp",)), [to("10.0.0.1", protocol=("6",))]),
        (to("10.0.0.1", protocol=("1",)), [to("10.0.0.1", dst_port=("1-65535",))]),
        # two products do not make the larger one
        (
            to("10.0.0.1", "10.0.0.2", dst_port=("1", "2")),
            [to("10.0.0.1", dst_port=("1",)), to("10.0.0.2", dst_port=("2",))],
        ),
        (to("10.0.0.1"), [to("10.0.0.1", tag=("bob",))]),
        (to("10.0.0.1"), [to("10.0.0.1", dscp=7)]),
        (to("10.0.0.1"), [to("10.0.0.1", src_tunnel_port=("1-65535",))]),  # what came in no tunnel
        (TrafficFilter(), []),
    ],
)
def test_what_has_one_packet_more_is_not(asked: TrafficFilter, given: list[TrafficFilter]) -> None:
    assert not covered(asked, *given)


def test_any_union_is_judged_as_packet_by_packet() -> None:
    chance = random.Random(16)
    seen = set()
    for _ in range(ROUNDS):
        asked, *given = (_drawn(chance) for _ in range(chance.randint(2, 6)))
        packets = [set(_packets(each)) for each in (asked, *given)]
        expected = packets[0] <= set().union(*packets[1:])
        seen.add(expected)
        assert covered(asked, *given) is expected, (asked, given)
    assert seen == {True, False}


def test_what_two_describe_is_what_both_describe() -> None:
    chance = random.Random(16)
    for _ in range(ROUNDS):
        one, other = _drawn(chance), _drawn(chance)
        both = list(common(described(one), described(other)))
        assert bool(both) is bool(set(_packets(one)) & set(_packets(other)))
        for each in (one, other):
            covers: list[Region] = list(regions(described(each)))
            assert all(uncovered(region, covers) is None for region in both)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (to("fd00::1", protocol=("ipv6-frag",)), to("fd00::1", protocol=("tcp",)), {(6, 44)}),
        (to("fd00::1", protocol=("udp",)), to("fd00::1", protocol=("tcp",)), set()),
        (to("10.0.0.1", protocol=("44",)), to("10.0.0.1", protocol=("tcp",)), set()),
        (TrafficFilter(protocol=("icmp",)), TrafficFilter(protocol=("1", "58")), {(4, 1), (6, 58)}),
    ],
)
def test_a_header_that_others_follow_may_be_of_a_packet_of_another_protocol(
    one: TrafficFilter, other: TrafficFilter, found: set[tuple[int, int]]
) -> None:
    both = common(described(one), described(other))
    assert {protocol for region in both for protocol in region[2] or ()} == found


def test_what_is_cut_too_finely_to_be_judged_is_refused_and_soon() -> None:
    asked = TrafficFilter(dst_address=("10.0.0.0/8",), dst_port=("1-65535",))
    given = [
        to(f"10.{n}.0.0/16", dst_port=(f"{n + 1}",), src_port=(f"{n + 1}",), src_address=(f"10.{n}.0.1",))
        for n in range(256)
    ]
    assert 4 * len(given) > MOST_PIECES
    assert not covered(asked, *given)


def _drawn(chance: random.Random) -> TrafficFilter:
    """A filter in a world of four addresses, four ports, two protocols and three senders."""

    def some(values: list[str], least: int = 1) -> tuple[str, ...]:
        return tuple(chance.sample(values, chance.randint(least, len(values))))

    return TrafficFilter(
        dst_address=some(["10.0.0.0", "10.0.0.1", "10.0.0.2-10.0.0.3"]),
        dst_port=some(["1", "2-3", "4"]),
        protocol=some(["tcp", "17"]),
        src_address=some(["10.1.0.0/31", "10.1.0.2"]),
    )


def _packets(wanted: TrafficFilter) -> list[tuple[Any, ...]]:
    (found,) = regions(described(wanted))
    values = [
        [n for span in part for n in range(span.low, span.high + 1)] if isinstance(part, tuple) else list(part or ())
        for part in found[:4]
    ]
    return list(product(*values))
