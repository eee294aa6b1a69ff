"""The rules on traffic and DNS rules (ETSI GS MEC 010-2 V3.1.1, 6.2.1.9 to 6.2.1.13; ETSI GS MEC 037 V3.2.1, 5.2.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from hanse.kit.values import ABSENT
from hanse.model.descriptor.base import Violation
from hanse.model.descriptor.traffic import (
    Action,
    DNSRuleDescriptor,
    FilterType,
    InterfaceDescriptor,
    InterfaceType,
    IpAddressType,
    TrafficFilter,
    TrafficRuleDescriptor,
)

DESTINATIONS: Final = {
    Action.DROP: 0,
    Action.FORWARD_DECAPSULATED: 1,
    Action.FORWARD_ENCAPSULATED: 1,
    Action.PASSTHROUGH: 1,
    Action.DUPLICATE_DECAPSULATED: 2,
    Action.DUPLICATE_ENCAPSULATED: 2,
}
"""How many destinations an action has (6.2.1.9)."""

INTERFACE_ATTRIBUTES: Final = {
    InterfaceType.TUNNEL: ("tunnelInfo",),
    InterfaceType.MAC: ("srcMACAddress", "dstMACAddress"),
    InterfaceType.IP: ("dstIPAddress",),
}
"""Which attributes an interface of each type has, and no others (6.2.1.11)."""

LOWEST_PRIORITY: Final = 255
_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_LONGEST_NAME: Final = 253


def traffic_violations(rules: Sequence[TrafficRuleDescriptor]) -> Iterator[Violation]:
    """What is wrong with the traffic rules of a descriptor."""
    yield from _repeated("appTrafficRule", "trafficRuleId", [rule.traffic_rule_id for rule in rules])
    for index, rule in enumerate(rules):
        yield from _rule(f"appTrafficRule[{index}]", rule)


def _rule(path: str, rule: TrafficRuleDescriptor) -> Iterator[Violation]:
    if not 0 <= rule.priority <= LOWEST_PRIORITY:
        yield Violation(path=f"{path}.priority", message=f"is 0 (first) to {LOWEST_PRIORITY}, not {rule.priority}")
    if not rule.traffic_filter:
        yield Violation(path=f"{path}.trafficFilter", message="give at least one filter")
    for index, matched in enumerate(rule.traffic_filter):
        yield from _direction(f"{path}.trafficFilter[{index}]", rule.filter_type, matched)
    wanted = DESTINATIONS[rule.action]
    if len(rule.dst_interface) != wanted:
        message = f"{rule.action} has {wanted} destinations, not {len(rule.dst_interface)}"
        yield Violation(path=f"{path}.dstInterface", message=message)
    for index, interface in enumerate(rule.dst_interface):
        yield from _interface(f"{path}.dstInterface[{index}]", interface)


def _direction(path: str, filter_type: FilterType, matched: TrafficFilter) -> Iterator[Violation]:
    if matched.direction is ABSENT:
        return
    if filter_type is FilterType.PACKET:
        yield Violation(path=f"{path}.direction", message="belongs to rules with filterType FLOW only")
    if matched.direction not in ("00", "01"):
        yield Violation(path=f"{path}.direction", message="is 00 (downlink) or 01 (uplink)")


def _interface(path: str, interface: InterfaceDescriptor) -> Iterator[Violation]:
    present = {
        "tunnelInfo": interface.tunnel_info,
        "srcMACAddress": interface.src_mac_address,
        "dstMACAddress": interface.dst_mac_address,
        "dstIPAddress": interface.dst_ip_address,
    }
    wanted = INTERFACE_ATTRIBUTES[interface.interface_type]
    for name, value in present.items():
        if (value is not ABSENT) == (name in wanted):
            continue
        must = "needs" if name in wanted else "must not have"
        message = f"an interface of type {interface.interface_type} {must} this"
        yield Violation(path=f"{path}.{name}", message=message)


def dns_violations(rules: Sequence[DNSRuleDescriptor]) -> Iterator[Violation]:
    """What is wrong with the DNS rules of a descriptor."""
    yield from _repeated("appDNSRule", "dnsRuleId", [rule.dns_rule_id for rule in rules])
    for index, rule in enumerate(rules):
        path = f"appDNSRule[{index}]"
        if not is_domain_name(rule.domain_name):
            message = f"{rule.domain_name!r} is not a fully qualified domain name"
            yield Violation(path=f"{path}.domainName", message=message)
        if not _is_address(rule.ip_address, rule.ip_address_type):
            message = f"{rule.ip_address!r} is not an address of the family {rule.ip_address_type}"
            yield Violation(path=f"{path}.ipAddress", message=message)
        if rule.ttl is not ABSENT and rule.ttl <= 0:
            yield Violation(path=f"{path}.ttl", message="is a number of seconds above 0")


def is_domain_name(name: str) -> bool:
    """Whether ``name`` is fully qualified: two labels or more, a final dot allowed (RFC 1035, 2.3.1)."""
    labels = name.removesuffix(".").split(".")
    return len(name) <= _LONGEST_NAME and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)


def _is_address(text: str, family: IpAddressType) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return isinstance(address, IPv4Address if family is IpAddressType.IP_V4 else IPv6Address)


def _repeated(name: str, key: str, identifiers: Iterable[str]) -> Iterator[Violation]:
    seen: dict[str, int] = {}
    for index, identifier in enumerate(identifiers):
        if identifier in seen:
            message = f"{identifier!r} is also the id of {name}[{seen[identifier]}]; ids must differ"
            yield Violation(path=f"{name}[{index}].{key}", message=message)
        seen.setdefault(identifier, index)
