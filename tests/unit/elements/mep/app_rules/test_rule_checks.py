"""What no data plane could carry out, an app is told by its attribute (MEC 011 V3.1.1, 7.1.5.2 to 7.1.5.4)."""

from __future__ import annotations

from typing import Any

import pytest

from hanse.elements.mep.app_rules.rule_checks import check_filter, check_interface
from hanse.kit.problems import Problem
from hanse.model.descriptor.traffic import InterfaceType
from hanse.refpoints.mp1.support import DestinationInterface, TrafficFilter, TunnelInfo

IP, MAC, TUNNEL = InterfaceType.IP, InterfaceType.MAC, InterfaceType.TUNNEL


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"src_address": ("nonsense",)}, "srcAddress"),
        ({"dst_address": ("10.0.0.0/33",)}, "dstAddress"),
        ({"dst_address": ("10.0.0.9-10.0.0.1",)}, "dstAddress"),
        ({"src_port": ("99999",)}, "srcPort"),
        ({"dst_port": ("http",)}, "dstPort"),
        ({"tgt_tunnel_address": ("",)}, "tgtTunnelAddress"),
        ({"src_tunnel_port": ("0",)}, "srcTunnelPort"),
        ({"protocol": ("tcp", "tpc")}, "protocol"),
        ({"protocol": ("256",)}, "protocol"),
        ({"protocol": ("gre",), "dst_port": ("80",)}, "protocol"),
        ({"protocol": ("tcp", "1"), "src_port": ("80",)}, "protocol"),
        ({"dscp": 64}, "dSCP"),
        ({"tc": -1}, "tC"),
        ({"qci": 256}, "qCI"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused_by_the_name_of_its_attribute(
    wanted: dict[str, Any], named: str
) -> None:
    with pytest.raises(Problem, match=rf"Invalid attribute trafficFilter\[0\]\.{named}\b") as refused:
        check_filter(TrafficFilter(**wanted), "trafficFilter[0]")
    assert refused.value.status == 400
    assert refused.value.detail


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"src_address": ("10.0.0.7", "10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.0.0.1-10.0.0.9", "2001:db8::/32")},
        {"dst_port": ("80", "8000-8010"), "src_tunnel_port": ("2152",)},
        {"dscp": 63, "tc": 255, "qci": 0},
        {"protocol": ("TCP", "17", "sctp"), "src_port": ("80",)},
        {"protocol": ("gre", "50", "253", "OSPFIGP"), "dst_port": ()},
    ],
)
def test_every_way_to_write_addresses_ports_and_protocols_is_taken(wanted: dict[str, Any]) -> None:
    check_filter(TrafficFilter(**wanted), "trafficFilter[0]")


@pytest.mark.parametrize(
    ("interface", "named"),
    [
        (
            {"interface_type": IP, "dst_ip_address": "10.0.0.7", "tunnel_info": TunnelInfo(tunnel_type="GRE")},
            "Unexpected attribute dst.tunnelInfo",
        ),
        (
            {"interface_type": IP, "dst_ip_address": "10.0.0.7", "src_mac_address": "02:00:00:00:00:07"},
            "Unexpected attribute dst.srcMacAddress",
        ),
        ({"interface_type": MAC, "dst_ip_address": "10.0.0.7"}, "Unexpected attribute dst.dstIpAddress"),
        ({"interface_type": IP, "dst_ip_address": "harbour"}, "Invalid attribute dst.dstIpAddress"),
        ({"interface_type": MAC, "dst_mac_address": "02:00:00:00:07"}, "Invalid attribute dst.dstMacAddress"),
        (
            {"interface_type": TUNNEL, "tunnel_info": TunnelInfo(tunnel_type="GRE", tunnel_dst_address="x")},
            "Invalid attribute dst.tunnelInfo.tunnelDstAddress",
        ),
    ],
)
def test_an_interface_has_what_belongs_to_its_type_and_no_more(interface: dict[str, Any], named: str) -> None:
    with pytest.raises(Problem, match=named) as refused:
        check_interface(DestinationInterface(**interface), "dst")
    assert refused.value.status == 400


def test_an_interface_of_each_type_is_taken() -> None:
    tunnel = TunnelInfo(tunnel_type="GTP_U", tunnel_dst_address="10.0.0.7", tunnel_src_address="0.0.0.0")
    for interface in (
        DestinationInterface(interface_type=IP, dst_ip_address="2001:db8::7"),
        DestinationInterface(
            interface_type=MAC, dst_mac_address="02-00-00-00-00-0A", src_mac_address="02:00:00:00:00:07"
        ),
        DestinationInterface(interface_type=TUNNEL, tunnel_info=tunnel),
    ):
        check_interface(interface, "dst")
