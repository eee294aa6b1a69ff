"""A rule's interfaces reach the data plane as they were meant: an address, a MAC interface or a tunnel."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hanse.elements.mep.app_rules import rules
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor import traffic
from hanse.model.descriptor.traffic import Action, InterfaceType
from hanse.refpoints.mp1.support import DestinationInterface, TrafficRule, TunnelInfo
from hanse.refpoints.mp2 import Ethernet, Forwarding, Tunnel
from tests.unit.elements.mep.parts import configuration

APP = configuration("one")
FAR, NEAR = "192.0.2.9", "192.0.2.1"


def ip(address: str) -> DestinationInterface:
    return DestinationInterface(interface_type=InterfaceType.IP, dst_ip_address=address)


def mac(dst: str, src: str | Absent = ABSENT) -> DestinationInterface:
    return DestinationInterface(interface_type=InterfaceType.MAC, dst_mac_address=dst, src_mac_address=src)


def tunnel(far: str, near: str = NEAR) -> DestinationInterface:
    info = TunnelInfo(tunnel_type="GTP_U", tunnel_dst_address=far, tunnel_src_address=near)
    return DestinationInterface(interface_type=InterfaceType.TUNNEL, tunnel_info=info)


def told(action: Action, *interfaces: DestinationInterface) -> Forwarding:
    rule: TrafficRule = rules.traffic_rule(APP.traffic_rules[0])
    return rules.forwarding(APP, msgspec.structs.replace(rule, action=action, dst_interface=interfaces))


def test_a_mac_interface_is_its_two_addresses() -> None:
    made = told(Action.FORWARD_DECAPSULATED, mac("02:00:5e:00:00:01", "02:00:5e:00:00:02"))
    assert made.to_mac == Ethernet(dst_address="02:00:5e:00:00:01", src_address="02:00:5e:00:00:02")
    assert (made.to_address, made.to_port, made.to_tunnel) == (ABSENT, ABSENT, ABSENT)


def test_a_tunnel_is_its_type_and_two_ends() -> None:
    made = told(Action.FORWARD_ENCAPSULATED, tunnel(FAR))
    assert made.to_tunnel == Tunnel(tunnel_type="GTP_U", dst_address=FAR, src_address=NEAR)
    assert made.to_address is ABSENT


def test_the_unspecified_address_is_the_instance_at_the_far_end_and_the_data_plane_at_the_near_one() -> None:
    made = told(Action.FORWARD_ENCAPSULATED, tunnel("0.0.0.0", "0.0.0.0"))
    assert made.to_tunnel == Tunnel(tunnel_type="GTP_U", dst_address=APP.address)


def test_what_goes_to_the_instance_encapsulated_goes_to_the_port_of_tunnels_not_to_its_own() -> None:
    made = told(Action.FORWARD_ENCAPSULATED, ip("0.0.0.0"))
    assert (made.to_address, made.to_port) == (APP.address, ABSENT)


def test_each_of_two_interfaces_may_be_of_its_own_type() -> None:
    made = told(Action.DUPLICATE_DECAPSULATED, ip("0.0.0.0"), mac("02:00:5e:00:00:01"))
    assert (made.to_address, made.core_address) == (APP.address, ABSENT)
    assert made.core_mac == Ethernet(dst_address="02:00:5e:00:00:01")
    made = told(Action.DUPLICATE_ENCAPSULATED, tunnel(FAR), tunnel("192.0.2.8"))
    assert made.core_tunnel == Tunnel(tunnel_type="GTP_U", dst_address="192.0.2.8", src_address=NEAR)


def test_one_destination_is_told_alike_however_it_is_written() -> None:
    """Else two rules that do the same would be taken to conflict."""
    ways = [ip("2001:DB8:0:0::7"), ip("2001:db8::7")]
    assert {told(Action.FORWARD_DECAPSULATED, way).to_address for way in ways} == {"2001:db8::7"}
    ways = [mac("02-00-5E-00-00-01", "02:00:5E:00:00:02"), mac("02:00:5e:00:00:01", "02-00-5e-00-00-02")]
    [made] = {told(Action.FORWARD_DECAPSULATED, way).to_mac for way in ways}
    assert made == Ethernet(dst_address="02:00:5e:00:00:01", src_address="02:00:5e:00:00:02")
    written = TunnelInfo(tunnel_type="gtp-u", tunnel_dst_address="2001:DB8::9", tunnel_src_address="2001:DB8::1")
    way = DestinationInterface(interface_type=InterfaceType.TUNNEL, tunnel_info=written)
    expected = Tunnel(tunnel_type="GTP_U", dst_address="2001:db8::9", src_address="2001:db8::1")
    assert told(Action.FORWARD_ENCAPSULATED, way).to_tunnel == expected


@pytest.mark.parametrize(
    ("kind", "lacks"),
    [
        (InterfaceType.MAC, "MAC needs dstMacAddress"),
        (InterfaceType.IP, "IP needs dstIpAddress"),
        (InterfaceType.TUNNEL, "TUNNEL needs tunnelInfo"),
    ],
)
def test_an_interface_that_lacks_what_its_type_needs_is_refused(kind: InterfaceType, lacks: str) -> None:
    with pytest.raises(Problem, match="Invalid attribute dstInterface") as refused:
        told(Action.FORWARD_DECAPSULATED, DestinationInterface(interface_type=kind))
    assert refused.value.status == 400
    assert lacks in refused.value.detail


def test_a_descriptors_interfaces_come_through_mp1_unchanged() -> None:
    info = traffic.TunnelInfo(tunnel_type="GTP-U", tunnel_dst_address=FAR, tunnel_src_address=NEAR)
    described: dict[InterfaceType, dict[str, Any]] = {
        InterfaceType.MAC: {"src_mac_address": "02:00:5e:00:00:02", "dst_mac_address": "02:00:5e:00:00:01"},
        InterfaceType.TUNNEL: {"tunnel_info": info},
    }
    made = {}
    for kind, values in described.items():
        action = Action.FORWARD_ENCAPSULATED if kind is InterfaceType.TUNNEL else Action.FORWARD_DECAPSULATED
        interface = traffic.InterfaceDescriptor(interface_type=kind, **values)
        rule = msgspec.structs.replace(APP.traffic_rules[0], action=action, dst_interface=(interface,))
        made[kind] = rules.forwarding(APP, rules.traffic_rule(rule))
    assert made[InterfaceType.MAC].to_mac == Ethernet(dst_address="02:00:5e:00:00:01", src_address="02:00:5e:00:00:02")
    assert made[InterfaceType.TUNNEL].to_tunnel == Tunnel(tunnel_type="GTP_U", dst_address=FAR, src_address=NEAR)
