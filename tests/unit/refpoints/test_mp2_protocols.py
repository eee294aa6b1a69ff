"""A protocol that an operator writes by any of its names, or by its number, is that one, or refused with a hint."""

from __future__ import annotations

import socket

import pytest

from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2.protocols import (
    BY_PORTS_ALONE,
    ICMP,
    ICMPV6,
    TCP,
    UDP,
    WITH_PORTS,
    in_version,
    meant_protocols,
    protocol_name,
    protocol_number,
    spelt_alike,
)


@pytest.mark.parametrize(
    ("texts", "number"),
    [
        (("icmp", "ICMP", "1"), 1),
        (("igmp", "2"), 2),
        (("ipv4", "IPv4", "ipip", "ipencap", "4"), 4),
        (("tcp", "TCP", " Tcp ", "6", "006"), 6),
        (("udp", "17"), 17),
        (("dccp",), 33),
        (("ipv6", "IPv6"), 41),
        (("rsvp",), 46),
        (("gre", "GRE", "47"), 47),
        (("esp",), 50),
        (("ah",), 51),
        (("IPv6-ICMP", "icmpv6", "58"), 58),
        (("ospf", "OSPFIGP", "89"), 89),
        (("a/n",), 107),
        (("pim",), 103),
        (("vrrp",), 112),
        (("l2tp",), 115),
        (("sctp",), 132),
        (("udplite", "UDPLite"), 136),
        (("mpls-in-ip", "MPLS-in-IP"), 137),
        (("0", "hopopt"), 0),
        (("253",), 253),
        (("255",), 255),
    ],
)
def test_every_way_to_write_a_protocol_means_its_number(texts: tuple[str, ...], number: int) -> None:
    assert {protocol_number(text, "protocol") for text in texts} == {number}


SPELT_OTHERWISE = {
    "DSTOPTS": "ipv6-opts",
    "FRAGMENT": "ipv6-frag",
    "HOPOPTS": "hopopt",
    "IDP": "xns-idp",
    "IP": "hopopt",
    "NONE": "ipv6-nonxt",
    "ROUTING": "ipv6-route",
    "TP": "iso-tp4",
}
NO_PROTOCOLS_OF_PACKETS = {"RAW", "MPTCP", "MAX"}
KNOWN_HERE = {name.removeprefix("IPPROTO_") for name in dir(socket) if name.startswith("IPPROTO_")}


@pytest.mark.parametrize("name", sorted(KNOWN_HERE - NO_PROTOCOLS_OF_PACKETS))
def test_what_the_sockets_of_this_machine_call_a_protocol_is_the_same_one_here(name: str) -> None:
    assert protocol_number(SPELT_OTHERWISE.get(name, name), "protocol") == getattr(socket, f"IPPROTO_{name}")


def test_every_number_has_one_name_that_means_it_again() -> None:
    assert [protocol_number(protocol_name(n), "protocol") for n in range(256)] == list(range(256))
    assert (protocol_name(47), protocol_name(58), protocol_name(253)) == ("gre", "ipv6-icmp", "253")


@pytest.mark.parametrize("text", ["", "tpc", "256", "-1", "+6", "6.0", "6-17", "٦", "0x06", "1" * 5000, "tcp,udp"])
def test_what_is_no_protocol_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(Problem, match=r"400 trafficFilter\[0\]\.protocol is not a protocol.*number, 0 to 255"):
        protocol_number(text, "trafficFilter[0].protocol")


def test_a_filter_without_protocols_means_all_and_with_ports_those_that_apps_mean_by_a_port() -> None:
    assert meant_protocols(ABSENT, ports=False) is None
    assert meant_protocols(ABSENT, ports=True) == BY_PORTS_ALONE == frozenset({TCP, UDP})
    assert meant_protocols((), ports=False) == frozenset()
    assert meant_protocols(("6", "tcp", "Udp"), ports=True) == frozenset({TCP, UDP})


@pytest.mark.parametrize("text", ["icmp", "gre", "50", "igmp", "253"])
def test_ports_of_a_protocol_that_has_none_are_refused_with_those_that_have(text: str) -> None:
    with pytest.raises(
        Problem, match=f"400 protocol has no ports: {protocol_name(protocol_number(text, ''))} has none"
    ) as refused:
        meant_protocols(("tcp", text), ports=True)
    assert refused.value.status == 400
    assert "tcp, udp, dccp, sctp, udplite" in refused.value.detail
    assert meant_protocols((text,), ports=False) == frozenset({protocol_number(text, "protocol")})
    assert meant_protocols(tuple(str(n) for n in WITH_PORTS), ports=True) == WITH_PORTS


def test_a_ping_is_another_protocol_in_each_ip_version() -> None:
    assert in_version({ICMP, TCP}, 4) == {ICMP, TCP}
    assert in_version({ICMP, TCP}, 6) == {ICMPV6, TCP}
    assert in_version({ICMPV6}, 6) == {ICMPV6}
    assert in_version({ICMPV6}, 4) == frozenset()


def test_what_means_one_protocol_is_spelt_alike_and_nonsense_stays_as_it_is() -> None:
    assert spelt_alike(("6", "TCP", "tcp")) == {"tcp"}
    assert spelt_alike(("47", "No such")) == {"gre", "No such"}
