"""An app's rules reach the data plane and the name server as its descriptor meant them, or are refused by name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hanse.elements.mep.app_rules import rules
from hanse.elements.mep.records import AppRecord
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.model.descriptor import traffic
from hanse.refpoints.mm5.platform import AppPhase
from hanse.refpoints.mp1.support import DestinationInterface, RuleState, TrafficRule
from tests.unit.elements.mep.parts import configuration

APP = configuration("one")
DESCRIBED = APP.traffic_rules[0]


def interface(address: str | None) -> DestinationInterface:
    kind = traffic.InterfaceType.IP if address else traffic.InterfaceType.MAC
    return DestinationInterface(interface_type=kind, dst_ip_address=address or ABSENT)


def rule(**changes: Any) -> TrafficRule:
    return msgspec.structs.replace(rules.traffic_rule(DESCRIBED), **changes)


def record(**changes: Any) -> AppRecord:
    whole = AppRecord(
        configuration=APP,
        phase=AppPhase.READY,
        traffic_rules=(rule(),),
        dns_rules=(rules.dns_rule(APP.dns_rules[0]),),
        active=True,
    )
    return msgspec.structs.replace(whole, **changes)


def test_the_unspecified_address_means_the_instance_itself_with_its_port() -> None:
    made = rules.forwarding(APP, rule())
    assert (made.rule_id, made.owner, made.to_address, made.to_port) == ("one.in", "one", "127.9.0.100", 8080)
    assert made.matches[0].dst_address == ("127.9.1.1",)
    assert made.matches[0].src_port is ABSENT


def test_another_address_keeps_the_port_that_the_device_dialled() -> None:
    made = rules.forwarding(APP, rule(dst_interface=(interface("127.9.7.7"),)))
    assert (made.to_address, made.to_port) == ("127.9.7.7", ABSENT)


def test_dropped_traffic_goes_nowhere() -> None:
    made = rules.forwarding(APP, rule(action=traffic.Action.DROP, dst_interface=()))
    assert (made.to_address, made.to_port) == (ABSENT, ABSENT)


def test_nothing_is_carried_out_for_an_app_that_is_not_active() -> None:
    assert [f.rule_id for f in rules.forwardings(record())] == ["one.in"]
    assert [n.record_id for n in rules.names(record())] == ["one.name"]
    assert rules.forwardings(record(active=False)) == []
    assert rules.names(record(active=False)) == []


def test_a_rule_that_the_app_switched_off_is_not_carried_out() -> None:
    off = msgspec.structs.replace(rules.dns_rule(APP.dns_rules[0]), state=RuleState.INACTIVE)
    quiet = record(traffic_rules=(rule(state=RuleState.INACTIVE),), dns_rules=(off,))
    assert rules.forwardings(quiet) == []
    assert rules.names(quiet) == []


def test_a_rule_that_waits_for_a_tag_is_not_carried_out_by_itself() -> None:
    tagged = msgspec.structs.replace(DESCRIBED, traffic_filter=(traffic.TrafficFilter(tag=("vip",)),))
    assert rules.traffic_rule(tagged).state is RuleState.INACTIVE


def test_an_answer_may_be_cached_as_long_as_the_rule_says_or_shortly() -> None:
    assert rules.names(record())[0].ttl == rules.DEFAULT_TTL
    described = msgspec.structs.replace(APP.dns_rules[0], ttl=7)
    assert rules.names(record(dns_rules=(rules.dns_rule(described),)))[0].ttl == 7


def test_the_type_of_a_tunnel_is_spelt_as_mp1_spells_it() -> None:
    tunnel = traffic.TunnelInfo(tunnel_type="GTP-U", tunnel_dst_address="a", tunnel_src_address="b")
    through = traffic.InterfaceDescriptor(interface_type=traffic.InterfaceType.TUNNEL, tunnel_info=tunnel)
    told = rules.traffic_rule(msgspec.structs.replace(DESCRIBED, dst_interface=(through,))).dst_interface[0]
    assert told.tunnel_info is not ABSENT
    assert told.tunnel_info.tunnel_type == "GTP_U"


@pytest.mark.parametrize(
    ("wrong", "title"),
    [
        ({"priority": 256}, "Invalid attribute priority"),
        ({"priority": -1}, "Invalid attribute priority"),
        ({"traffic_filter": ()}, "Invalid attribute trafficFilter"),
        ({"dst_interface": ()}, "Invalid attribute dstInterface"),
        ({"action": traffic.Action.DROP}, "DROP takes 0, got 1"),
        ({"action": traffic.Action.DUPLICATE_DECAPSULATED}, "takes 2, got 1"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_by_its_attribute(wrong: dict[str, Any], title: str) -> None:
    rules.check_traffic_rule(rule(priority=0))
    rules.check_traffic_rule(rule(priority=255))
    with pytest.raises(Problem, match=title) as caught:
        rules.check_traffic_rule(rule(**wrong))
    assert caught.value.status == 400


def test_what_a_filter_says_of_packets_and_tunnels_reaches_the_data_plane() -> None:
    described = traffic.TrafficFilter(
        dscp=46, tc=184, qci=9, tgt_tunnel_address=("10.1.1.1",), dst_tunnel_port=("2152",)
    )
    [match] = rules.forwarding(APP, rule(traffic_filter=(rules._filter(described),))).matches
    assert (match.dscp, match.tc, match.qci) == (46, 184, 9)
    assert (match.tgt_tunnel_address, match.dst_tunnel_port) == (("10.1.1.1",), ("2152",))
    assert match.src_tunnel_address is ABSENT


def test_of_two_interfaces_the_second_gets_the_copies_of_what_goes_to_devices() -> None:
    copied = {"action": traffic.Action.DUPLICATE_DECAPSULATED}
    made = rules.forwarding(APP, rule(dst_interface=(interface("0.0.0.0"), interface("127.9.7.7")), **copied))
    assert (made.to_address, made.core_address) == ("127.9.0.100", "127.9.7.7")
    assert rules.forwarding(APP, rule()).core_address is ABSENT
