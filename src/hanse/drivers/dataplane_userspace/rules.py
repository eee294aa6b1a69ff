"""Which rule takes a new flow: a snapshot of the rules and a flow in, a decision out.

Rules know nothing that knows them, and there are many: the garbage collector need not look at them (``gc=False``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from hanse.kit.problems import bad_request
from hanse.kit.values import Absent
from hanse.refpoints.mp2 import Forwarding, TrafficMatch
from hanse.refpoints.mp2.protocols import BY_PORTS_ALONE, meant_protocols, protocol_name
from hanse.refpoints.mp2.ranges import AddressRange, PortRange, address_range, port_range

Address = tuple[int, int]
"""IP version and number."""
TCP, UDP = "tcp", "udp"
PROTOCOLS = (TCP, UDP)


_EVERYWHERE = AddressRange(4, 0, 2**32 - 1)


class FlowKey(NamedTuple):
    """What filters look at: addresses as (IP version, number), ports, ``tcp`` or ``udp``."""

    src: Address
    sport: int
    dst: Address
    dport: int
    protocol: str


class Filter(msgspec.Struct, frozen=True, gc=False):
    """A `TrafficMatch`, read once: attributes are ANDed, values of one attribute ORed, ``None`` matches everything."""

    src_address: tuple[AddressRange, ...] | None
    dst_address: tuple[AddressRange, ...] | None
    src_port: tuple[PortRange, ...] | None
    dst_port: tuple[PortRange, ...] | None
    protocols: tuple[str, ...]
    networks: tuple[AddressRange, ...] | None = None

    def takes(self, flow: FlowKey) -> bool:
        """Whether the flow is one of those it describes."""
        return (
            flow.protocol in self.protocols
            and _has_port(self.dst_port, flow.dport)
            and _has_address(self.dst_address, flow.dst)
            and _has_address(self.src_address, flow.src)
            and _has_port(self.src_port, flow.sport)
            and _has_address(self.networks, flow.src)
        )


class Rule(msgspec.Struct, frozen=True, gc=False):
    """A forwarding with its filters read; several filters are ORed."""

    forwarding: Forwarding
    filters: tuple[Filter, ...]

    def takes(self, flow: FlowKey) -> bool:
        """Whether any of its filters describes the flow."""
        return any(f.takes(flow) for f in self.filters)

    @property
    def sources(self) -> frozenset[Address] | None:
        """The single addresses whose flows alone it may take; ``None`` if it names ranges or none."""
        ranges = [span for f in self.filters for span in f.src_address or f.networks or (_EVERYWHERE,)]
        if any(span.size > 1 for span in ranges):
            return None
        return frozenset((span.version, span.low) for span in ranges)

    def target(self, dialled_port: int) -> tuple[str, int]:
        """Where a flow goes that dialled ``dialled_port``; only for rules that forward."""
        to_address, to_port = self.forwarding.to_address, self.forwarding.to_port
        if isinstance(to_address, Absent):
            raise ValueError(f"{self.forwarding.rule_id} forwards nowhere")
        return to_address, dialled_port if isinstance(to_port, Absent) else to_port


def decide(rules: Iterable[Rule], src: str, sport: int, dst: str, dport: int, protocol: str) -> Forwarding | None:
    """The forwarding that takes a new flow, or ``None``; ``rules`` are in the order of `by_priority`."""
    flow = flow_key(src, sport, dst, dport, protocol)
    return next((rule.forwarding for rule in rules if rule.takes(flow)), None)


def flow_key(src: str, sport: int, dst: str, dport: int, protocol: str) -> FlowKey:
    """The key of a flow from ``src:sport`` to ``dst:dport``; addresses are read once for all rules."""
    return FlowKey(address_number(src), sport, address_number(dst), dport, protocol)


def by_priority(rules: Iterable[Rule]) -> list[Rule]:
    """Priority 0 first (ETSI GS MEC 011 V3.1.1, 7.1.2.2); equal ones by rule id, so that the order is stable."""
    return sorted(rules, key=place)


def place(rule: Rule) -> tuple[int, str]:
    """Its place among others."""
    return rule.forwarding.priority, rule.forwarding.rule_id


Networks = Mapping[str, tuple[str, ...]]
"""Access networks by name, with the addresses of their devices as a filter writes them."""


def read_rule(forwarding: Forwarding, networks: Networks = MappingProxyType({})) -> Rule:
    """Read the filters of a forwarding; 400 names the attribute that cannot be read, or is no network by that name."""
    if not forwarding.matches:
        raise bad_request("matches is empty", "give at least one filter; one without attributes matches everything")
    return Rule(forwarding, tuple(_read_filter(m, networks) for m in forwarding.matches))


def _read_filter(match: TrafficMatch, networks: Networks) -> Filter:
    return Filter(
        src_address=_addresses(match.src_address, "srcAddress"),
        dst_address=_addresses(match.dst_address, "dstAddress"),
        src_port=_ports(match.src_port, "srcPort"),
        dst_port=_ports(match.dst_port, "dstPort"),
        protocols=_protocols(match),
        networks=_networks(match.in_interface, networks),
    )


def _networks(names: tuple[str, ...] | Absent, known: Networks) -> tuple[AddressRange, ...] | None:
    """On loopback there is one interface: a device came in by the network that its address is of."""
    if isinstance(names, Absent):
        return None
    unknown = sorted(set(names) - known.keys())
    if unknown:
        there = ", ".join(sorted(known)) or "none"
        raise bad_request("inInterface is unknown", f"access networks are: {there}; got {', '.join(unknown)}")
    return tuple(address_range(text, "inInterface") for name in names for text in known[name])


def _addresses(texts: tuple[str, ...] | Absent, field: str) -> tuple[AddressRange, ...] | None:
    return None if isinstance(texts, Absent) else tuple(address_range(t, field) for t in texts)


def _ports(texts: tuple[str, ...] | Absent, field: str) -> tuple[PortRange, ...] | None:
    return None if isinstance(texts, Absent) else tuple(port_range(t, field) for t in texts)


def _protocols(match: TrafficMatch) -> tuple[str, ...]:
    """Those whose flows it may take; 400: one is none, has no ports, or is not carried."""
    ports = not (isinstance(match.src_port, Absent) and isinstance(match.dst_port, Absent))
    numbers = meant_protocols(match.protocol, ports=ports)
    names = tuple(protocol_name(number) for number in sorted(BY_PORTS_ALONE if numbers is None else numbers))
    if unknown := [name for name in names if name not in PROTOCOLS]:
        raise bad_request("protocol is not carried", f"write tcp or udp; got {', '.join(unknown)}")
    return names


def address_number(text: str) -> Address:
    """An address as filters compare it."""
    address = ip_address(text)
    return address.version, int(address)


def _has_address(ranges: tuple[AddressRange, ...] | None, address: Address) -> bool:
    return ranges is None or any(r.has(*address) for r in ranges)


def _has_port(ranges: tuple[PortRange, ...] | None, port: int) -> bool:
    return ranges is None or any(r.has(port) for r in ranges)
