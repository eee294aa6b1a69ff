"""From an app's rules to what the data plane and the name server carry out."""

from __future__ import annotations

from hanse.elements.mep.app_rules.destinations import destinations
from hanse.elements.mep.app_rules.rule_checks import check_filter, check_interface
from hanse.elements.mep.records import AppRecord
from hanse.elements.mep.steering.led import RULES_ORDER
from hanse.kit.problems import bad_request
from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor import traffic
from hanse.refpoints import mp2
from hanse.refpoints.mm5.platform import AppConfiguration
from hanse.refpoints.mp1.support import DestinationInterface, DnsRule, RuleState, TrafficFilter, TrafficRule, TunnelInfo

DEFAULT_TTL = 30
"""Seconds that an answer may be cached when the rule does not say; the rule itself never expires (7.1.2.3)."""


def traffic_rule(described: traffic.TrafficRuleDescriptor) -> TrafficRule:
    """A descriptor's rule as Mp1 tells it; ACTIVE unless it waits for a tag (digest of MEC 011, section 8)."""
    tagged = any(f.tag for f in described.traffic_filter)
    return TrafficRule(
        traffic_rule_id=described.traffic_rule_id,
        filter_type=described.filter_type,
        priority=described.priority,
        traffic_filter=tuple(_filter(f) for f in described.traffic_filter),
        action=described.action,
        state=RuleState.INACTIVE if tagged else RuleState.ACTIVE,
        dst_interface=tuple(_interface(i) for i in described.dst_interface),
    )


def dns_rule(described: traffic.DNSRuleDescriptor) -> DnsRule:
    """A descriptor's DNS rule as Mp1 tells it."""
    return DnsRule(
        dns_rule_id=described.dns_rule_id,
        domain_name=described.domain_name,
        ip_address_type=described.ip_address_type,
        ip_address=described.ip_address,
        state=RuleState.ACTIVE,
        ttl=described.ttl,
    )


def forwardings(app: AppRecord) -> list[mp2.Forwarding]:
    """What the data plane must carry out for an app now."""
    if not app.active:
        return []
    return [forwarding(app.configuration, rule) for rule in app.traffic_rules if rule.state is RuleState.ACTIVE]


def forwarding(app: AppConfiguration, rule: TrafficRule) -> mp2.Forwarding:
    """One rule, its destination resolved; a problem 400 for what no interface of its type can be."""
    first, second = destinations(app, rule)
    return mp2.Forwarding(
        rule_id=f"{app.app_instance_id}.{rule.traffic_rule_id}",
        owner=app.app_instance_id,
        priority=rule.priority,
        filter_type=rule.filter_type,
        matches=tuple(_match(f) for f in rule.traffic_filter),
        action=rule.action,
        to_address=first.address,
        to_port=first.port,
        to_mac=first.mac,
        to_tunnel=first.tunnel,
        core_address=second.address,
        core_mac=second.mac,
        core_tunnel=second.tunnel,
    )


def names(app: AppRecord) -> list[mp2.NameRecord]:
    """What the name server must answer for an app now."""
    if not app.active:
        return []
    return [
        mp2.NameRecord(
            record_id=f"{app.app_instance_id}.{rule.dns_rule_id}",
            owner=app.app_instance_id,
            name=rule.domain_name,
            address=rule.ip_address,
            ttl=rule.ttl if isinstance(rule.ttl, int) else DEFAULT_TTL,
            order=RULES_ORDER,
        )
        for rule in app.dns_rules
        if rule.state is RuleState.ACTIVE
    ]


def check_traffic_rule(rule: TrafficRule) -> None:
    """What a traffic rule must hold beyond its shape (ETSI GS MEC 011 V3.1.1, 7.1.2.2)."""
    if not 0 <= rule.priority <= 255:
        raise bad_request("Invalid attribute priority", "0 (first) to 255")
    if not rule.traffic_filter:
        raise bad_request("Invalid attribute trafficFilter", "at least one filter")
    wanted = 0 if rule.action is traffic.Action.DROP else 2 if rule.action.startswith("DUPLICATE") else 1
    if len(rule.dst_interface) != wanted:
        detail = f"{rule.action} takes {wanted}, got {len(rule.dst_interface)}"
        raise bad_request("Invalid attribute dstInterface", detail)
    for place, matched in enumerate(rule.traffic_filter):
        check_filter(matched, f"trafficFilter[{place}]")
    for place, interface in enumerate(rule.dst_interface):
        check_interface(interface, f"dstInterface[{place}]")


def _match(wanted: TrafficFilter) -> mp2.TrafficMatch:
    return mp2.TrafficMatch(
        src_address=wanted.src_address,
        dst_address=wanted.dst_address,
        src_port=wanted.src_port,
        dst_port=wanted.dst_port,
        protocol=wanted.protocol,
        src_tunnel_address=wanted.src_tunnel_address,
        tgt_tunnel_address=wanted.tgt_tunnel_address,
        src_tunnel_port=wanted.src_tunnel_port,
        dst_tunnel_port=wanted.dst_tunnel_port,
        qci=wanted.qci,
        dscp=wanted.dscp,
        tc=wanted.tc,
    )


def _filter(described: traffic.TrafficFilter) -> TrafficFilter:
    return TrafficFilter(
        src_address=described.src_address or ABSENT,
        dst_address=described.dst_address or ABSENT,
        src_port=described.src_port or ABSENT,
        dst_port=described.dst_port or ABSENT,
        protocol=described.protocol or ABSENT,
        tag=described.tag or ABSENT,
        src_tunnel_address=described.src_tunnel_address or ABSENT,
        tgt_tunnel_address=described.tgt_tunnel_address or ABSENT,
        src_tunnel_port=described.src_tunnel_port or ABSENT,
        dst_tunnel_port=described.dst_tunnel_port or ABSENT,
        qci=described.qci,
        dscp=described.dscp,
        tc=described.tc,
    )


def _interface(described: traffic.InterfaceDescriptor) -> DestinationInterface:
    tunnel = described.tunnel_info
    return DestinationInterface(
        interface_type=described.interface_type,
        tunnel_info=ABSENT
        if isinstance(tunnel, Absent)
        else TunnelInfo(
            tunnel_type=tunnel.tunnel_type.replace("-", "_"),
            tunnel_dst_address=tunnel.tunnel_dst_address,
            tunnel_src_address=tunnel.tunnel_src_address,
        ),
        src_mac_address=described.src_mac_address,
        dst_mac_address=described.dst_mac_address,
        dst_ip_address=described.dst_ip_address,
    )
