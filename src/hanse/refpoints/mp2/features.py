"""What a rule needs of a data plane beyond TCP and UDP over IPv4: the names under which a driver says what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from hanse.kit.problems import bad_request
from hanse.kit.values import Absent
from hanse.model.descriptor.traffic import Action
from hanse.refpoints.mp2.forwarding import Forwarding, TrafficMatch
from hanse.refpoints.mp2.protocols import BY_PORTS_ALONE, ICMP, ICMPV6, meant_protocols, protocol_name


class Feature(StrEnum):
    """A thing that a driver may lack; the value stands in `DataPlaneCapabilities.lacks` (MEC 011 V3.1.1, 7.1.5)."""

    FORWARD_ENCAPSULATED = Action.FORWARD_ENCAPSULATED
    DUPLICATE_DECAPSULATED = Action.DUPLICATE_DECAPSULATED
    DUPLICATE_ENCAPSULATED = Action.DUPLICATE_ENCAPSULATED
    IPV6 = "IPv6"
    ICMP = "ICMP"
    PACKET_PROTOCOLS = "packet-level protocols"
    DSCP = "DSCP"
    TRAFFIC_CLASS = "traffic class"
    QCI = "QCI"
    TUNNEL_FILTERS = "tunnel filters"
    IN_INTERFACE = "in-interface"
    MAC_INTERFACE = "MAC interface"
    TUNNEL_INTERFACE = "tunnel interface"


_OF_ATTRIBUTE = {
    "dscp": Feature.DSCP,
    "tc": Feature.TRAFFIC_CLASS,
    "qci": Feature.QCI,
    "src_tunnel_address": Feature.TUNNEL_FILTERS,
    "tgt_tunnel_address": Feature.TUNNEL_FILTERS,
    "src_tunnel_port": Feature.TUNNEL_FILTERS,
    "dst_tunnel_port": Feature.TUNNEL_FILTERS,
    "in_interface": Feature.IN_INTERFACE,
}
_OF_DESTINATION = {
    "to_mac": Feature.MAC_INTERFACE,
    "core_mac": Feature.MAC_INTERFACE,
    "to_tunnel": Feature.TUNNEL_INTERFACE,
    "core_tunnel": Feature.TUNNEL_INTERFACE,
}
_SPELLED = {"dscp": "dSCP", "tc": "tC", "qci": "qCI"}


def features(forwarding: Forwarding) -> Iterator[tuple[str, Feature]]:
    """Each thing that a rule needs, with the attribute that asks for it. 400: a protocol is none."""
    action = forwarding.action.value
    if action in Feature.__members__:
        yield f"action {action}", Feature(action)
    for name, feature in _OF_DESTINATION.items():
        if not isinstance(getattr(forwarding, name), Absent):
            yield _spelled(name), feature
    for match in forwarding.matches:
        yield from _of_match(match)
    for name in ("to_address", "core_address"):
        if ":" in (getattr(forwarding, name) or ""):
            yield _spelled(name), Feature.IPV6


def refuse_lacking(forwarding: Forwarding, lacks: dict[str, str]) -> None:
    """400 with the reason of the driver if a rule needs what it lacks."""
    for attribute, feature in features(forwarding):
        if feature in lacks:
            raise bad_request(f"{attribute} is not supported", f"{feature.value}: {lacks[feature]}")


def _of_match(match: TrafficMatch) -> Iterator[tuple[str, Feature]]:
    for name, feature in _OF_ATTRIBUTE.items():
        if not isinstance(getattr(match, name), Absent):
            yield _spelled(name), feature
    for name, addresses in (("srcAddress", match.src_address), ("dstAddress", match.dst_address)):
        if not isinstance(addresses, Absent) and any(":" in text for text in addresses):
            yield name, Feature.IPV6
    for number in sorted(meant_protocols(match.protocol, ports=False) or ()):
        if number not in BY_PORTS_ALONE:
            feature = Feature.ICMP if number in (ICMP, ICMPV6) else Feature.PACKET_PROTOCOLS
            yield f"protocol {protocol_name(number)}", feature


def _spelled(name: str) -> str:
    first, *rest = name.split("_")
    return _SPELLED.get(name, first + "".join(part.title() for part in rest))
