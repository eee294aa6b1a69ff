"""Filters as boxes: what a filter says is what its boxes hold, no more and no less."""

from __future__ import annotations

import random
from ipaddress import ip_address
from itertools import pairwise

import pytest

from hanse.drivers.dataplane_nftables.boxes import ALL_PROTOCOLS, Box, Shape, boxes, merged
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import TrafficMatch

NO_PACKET = "The attributes of a filter describe no packet"


def at(text: str) -> int:
    return int(ip_address(text))


def test_an_empty_filter_takes_every_packet_of_both_versions() -> None:
    found = boxes(TrafficMatch())
    assert found == (
        Box(4, (0, 2**32 - 1), (0, 2**32 - 1), ALL_PROTOCOLS),
        Box(6, (0, 2**128 - 1), (0, 2**128 - 1), ALL_PROTOCOLS),
    )


def test_values_of_one_attribute_are_alternatives_and_attributes_must_all_hold() -> None:
    [low, high] = boxes(
        TrafficMatch(
            src_address=("10.0.0.0/24",), dst_address=("10.9.0.1",), dst_port=("80", "8000-8010"), protocol=("TCP",)
        )
    )
    assert low.contains(at("10.0.0.7"), at("10.9.0.1"), 6, 4000, 80)
    assert high.contains(at("10.0.0.255"), at("10.9.0.1"), 6, 4000, 8010)
    for packet in (("10.0.1.0", 6, 80), ("10.0.0.7", 17, 80), ("10.0.0.7", 6, 81)):
        source, protocol, port = packet
        assert not any(b.contains(at(source), at("10.9.0.1"), protocol, 4000, port) for b in (low, high))


def test_ports_without_a_protocol_are_those_of_tcp_and_udp_and_never_of_a_ping() -> None:
    found = boxes(TrafficMatch(dst_address=("10.9.0.1",), dst_port=("80",)))
    assert {box.protocol for box in found} == {(6, 6), (17, 17)}


@pytest.mark.parametrize(("address", "number"), [("10.9.0.1", 1), ("fd00::1", 58)])
def test_a_ping_has_another_number_in_each_version(address: str, number: int) -> None:
    [box] = boxes(TrafficMatch(dst_address=(address,), protocol=("icmp",)))
    assert box.protocol == (number, number)


def test_protocols_that_have_no_ports_are_meant_by_name_or_number_and_neighbours_lie_in_one_box() -> None:
    four, six = boxes(TrafficMatch(protocol=("GRE", "48", "esp", "49"))), boxes(TrafficMatch(protocol=("253",)))
    assert [(box.version, box.protocol) for box in four] == [(4, (47, 50)), (6, (47, 50))]
    assert [(box.version, box.protocol) for box in six] == [(4, (253, 253)), (6, (253, 253))]


def test_only_what_asks_for_ports_lies_in_maps_that_ask_for_them() -> None:
    shapes = {
        "gre": Shape(4, exact=True, ports=False),
        "253": Shape(4, exact=True, ports=False),
        "tcp": Shape(4, exact=True, ports=False),
    }
    for protocol, shape in shapes.items():
        [box] = boxes(TrafficMatch(dst_address=("10.9.0.1",), protocol=(protocol,)))
        assert box.shape == shape
    [box] = boxes(TrafficMatch(dst_address=("10.9.0.1",), protocol=("tcp",), dst_port=("80",)))
    assert box.shape == Shape(4, exact=True, ports=True)
    [box] = boxes(TrafficMatch(dst_address=("10.9.0.1",), protocol=("tcp",), src_port=("80",)))
    assert box.shape == Shape(4, exact=False, ports=True)
    [box] = boxes(TrafficMatch(dst_address=("10.9.0.0/24",), protocol=("esp",)))
    assert box.shape == Shape(4, exact=False, ports=False)


def test_an_authentication_header_is_a_protocol_of_ipv4_and_stands_before_one_in_ipv6() -> None:
    esp_and_ah = boxes(TrafficMatch(protocol=("esp", "ah")))
    assert [(box.version, box.protocol, box.by_header) for box in esp_and_ah] == [
        (4, (50, 51), False),
        (6, (50, 50), False),
        (6, (51, 51), True),
    ]
    [tcp] = boxes(TrafficMatch(dst_address=("fd00::1",), protocol=("tcp",)))
    *_, header = esp_and_ah
    assert header.meets(tcp)
    assert tcp.meets(header)
    assert not any(box.by_header for box in boxes(TrafficMatch()))


def test_overlapping_ranges_become_one() -> None:
    assert merged([(5, 9), (1, 3), (4, 6), (20, 20)]) == [(1, 9), (20, 20)]


def test_merging_keeps_every_number_and_adds_none() -> None:
    chance = random.Random(3)
    for _ in range(200):
        spans = [(low, low + chance.randrange(9)) for low in (chance.randrange(60) for _ in range(6))]
        found = merged(spans)
        assert {n for a, b in found for n in range(a, b + 1)} == {n for a, b in spans for n in range(a, b + 1)}
        assert all(left[1] + 1 < right[0] for left, right in pairwise(found))


def test_what_answers_is_the_same_with_both_ends_exchanged() -> None:
    box = Box(4, (1, 2), (3, 4), (6, 6), (5, 6), (7, 8))
    assert box.turned() == Box(4, (3, 4), (1, 2), (6, 6), (7, 8), (5, 6))
    assert box.turned().turned() == box


def test_a_dscp_is_of_ipv4_and_a_traffic_class_of_ipv6() -> None:
    assert {box.version for box in boxes(TrafficMatch(dscp=46))} == {4}
    assert {box.version for box in boxes(TrafficMatch(tc=184))} == {6}


@pytest.mark.parametrize(
    ("match", "title"),
    [
        (TrafficMatch(dst_address=("10.9.0.300",)), "dstAddress is not an address"),
        (TrafficMatch(src_port=("90-80",)), "srcPort is not a range of ports"),
        (TrafficMatch(protocol=("tpc",)), "protocol is not a protocol"),
        (TrafficMatch(protocol=("icmp",), dst_port=("80",)), "protocol has no ports"),
        (TrafficMatch(protocol=("tcp", "47"), src_port=("80",)), "protocol has no ports"),
        (TrafficMatch(protocol=("dccp",), dst_port=("80",)), "ports of protocol dccp are not known to the kernel"),
        (TrafficMatch(src_address=("10.0.0.1",), dst_address=("fd00::1",)), NO_PACKET),
        (TrafficMatch(dst_address=("10.0.0.1",), protocol=("icmpv6",)), NO_PACKET),
        (TrafficMatch(dscp=46, protocol=("58",)), NO_PACKET),
        (
            TrafficMatch(
                src_port=tuple(str(n) for n in range(1, 80, 2)), dst_port=tuple(str(n) for n in range(1, 80, 2))
            ),
            "The attributes of a filter are too many",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(match: TrafficMatch, title: str) -> None:
    with pytest.raises(Problem) as refused:
        boxes(match)
    assert (refused.value.status, refused.value.title) == (400, title)
