"""Two filters are taken to want one packet exactly if a packet could be described by both."""

from __future__ import annotations

import pytest

from hanse.elements.mep.app_rules.overlap import described
from hanse.refpoints.mp1.support import TrafficFilter


def meets(one: dict[str, object], other: dict[str, object]) -> bool:
    first, second = (described(TrafficFilter(**given)) for given in (one, other))  # type: ignore[arg-type]
    assert first.meets(second) == second.meets(first)
    return first.meets(second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"dst_address": ("10.0.0.1",)}),
        ({"dst_address": ("10.0.0.0/24",)}, {"dst_address": ("10.0.0.9-10.0.1.9",)}),
        ({"dst_address": ("10.0.0.1", "10.0.0.2")}, {"dst_address": ("10.0.0.2",)}),
        ({"dst_port": ("80",)}, {"dst_port": ("70-90",)}),
        ({"dst_address": ("10.0.0.1",), "dst_port": ("80",)}, {"src_address": ("10.0.0.1",)}),
        ({"protocol": ("TCP",)}, {"protocol": ("udp", "tcp")}),
        ({"tag": ("a",)}, {"src_address": ("10.0.0.1",)}),
        ({"dst_address": ("fd00::/64",)}, {"dst_address": ("fd00::7",)}),
        ({"dscp": 46}, {"qci": 9}),
        ({"protocol": ("6",)}, {"protocol": ("tcp",)}),
        ({"protocol": ("47",)}, {"dst_address": ("10.0.0.1",), "protocol": ("GRE", "esp")}),
        ({"protocol": ("ICMP",), "dst_address": ("fd00::1",)}, {"protocol": ("icmpv6",)}),
        ({"protocol": ("1",), "dst_address": ("10.0.0.1",)}, {"protocol": ("icmp",)}),
        ({"protocol": ("tcp",)}, {"dst_port": ("80",)}),
        ({"protocol": ("132",), "dst_port": ("80",)}, {"protocol": ("sctp",)}),
        ({"protocol": ("ah",), "dst_address": ("fd00::1",)}, {"protocol": ("tcp",)}),
        ({"protocol": ()}, {"protocol": ("esp",)}),
    ],
)
def test_a_packet_that_both_describe_is_seen(one: dict[str, object], other: dict[str, object]) -> None:
    assert meets(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"dst_address": ("10.0.0.0/24",)}, {"dst_address": ("10.0.1.1",)}),
        ({"dst_address": ("10.0.0.1",)}, {"dst_address": ("fd00::1",)}),
        ({"src_address": ("10.0.0.1",)}, {"src_address": ("10.0.0.2",)}),
        ({"dst_port": ("80-89",)}, {"dst_port": ("90",)}),
        ({"src_port": ("80",)}, {"src_port": ("81",)}),
        ({"protocol": ("tcp",)}, {"protocol": ("udp",)}),
        ({"tag": ("a",)}, {"tag": ("b",)}),
        ({"dscp": 46}, {"dscp": 0}),
        ({"dscp": 46}, {"tc": 184}),
        ({"qci": 5}, {"qci": 9}),
        ({"src_tunnel_address": ("10.9.0.1",)}, {"src_tunnel_address": ("10.9.0.2",)}),
        ({"dst_tunnel_port": ("2152",)}, {"dst_tunnel_port": ("2153",)}),
        ({"protocol": ("6",)}, {"protocol": ("udp",)}),
        ({"protocol": ("gre",)}, {"dst_port": ("80",)}),
        ({"protocol": ("icmp",), "dst_address": ("10.0.0.1",)}, {"protocol": ("icmpv6",)}),
        ({"protocol": ("58",)}, {"dst_address": ("10.0.0.1",)}),
        ({"protocol": ("58",)}, {"dscp": 46}),
        ({"tc": 1}, {"src_address": ("10.0.0.1",)}),
        ({"src_address": ("fd00::1",)}, {"dst_address": ("10.0.0.1",)}),
        ({"protocol": ("ah",)}, {"protocol": ("tcp",), "dst_address": ("10.0.0.1",)}),
    ],
)
def test_what_no_packet_can_be_is_no_overlap(one: dict[str, object], other: dict[str, object]) -> None:
    assert not meets(one, other)


def test_what_cannot_be_read_describes_nothing() -> None:
    assert not meets({"dst_address": ("no address",)}, {"dst_address": ("10.0.0.1",)})
    assert meets({"dst_address": ("no address", "10.0.0.1")}, {"dst_address": ("10.0.0.1",)})
    assert not meets({"protocol": ("tpc",)}, {"protocol": ("tcp", "tpc")})
    assert not meets({"protocol": ("gre",), "dst_port": ("80",)}, {"protocol": ("gre",)})
