"""Filters as boxes: what a `TrafficMatch` describes, as ranges of addresses, protocols and ports (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from hanse.kit.problems import bad_request
from hanse.kit.values import Absent
from hanse.refpoints.mp2 import TrafficMatch
from hanse.refpoints.mp2.protocols import BEFORE_OTHERS, in_version, meant_protocols, protocol_name
from hanse.refpoints.mp2.ranges import AddressRange, address_range, port_range

MOST_BOXES = 1024
"""Boxes that one filter may take: the product of its ranges."""

Span = tuple[int, int]
"""A range, both ends included."""

ALL_PORTS: Span = (0, 65535)
ALL_PROTOCOLS: Span = (0, 255)
_UNTRACKED = 33
"""DCCP, whose ports the kernel's table of flows does not know (any more)."""
_BITS = {4: 32, 6: 128}


class Shape(NamedTuple):
    """What one map may hold: boxes of an IP version, of one destination each (``exact``) or of ranges.

    ``ports``: they ask for ports, which not every packet has: a map that does not ask finds those packets, too.
    """

    version: int
    exact: bool
    ports: bool


class Box(NamedTuple):
    """Packets of one IP version whose every coordinate lies in a range."""

    version: int
    src: Span
    dst: Span
    protocol: Span
    sport: Span = ALL_PORTS
    dport: Span = ALL_PORTS

    def meets(self, other: Box) -> bool:
        """Whether a packet may lie in both."""
        if self.version != other.version:
            return False
        spans = zip(self[1:], other[1:], strict=True)
        if self.by_header or other.by_header:  # whatever protocol follows that header
            spans = zip((*self[1:3], *self[4:]), (*other[1:3], *other[4:]), strict=True)
        return all(mine[0] <= theirs[1] and theirs[0] <= mine[1] for mine, theirs in spans)

    def contains(self, src: int, dst: int, protocol: int, sport: int, dport: int) -> bool:
        """Whether a packet of this IP version lies in it; ports are 0 where the protocol has none."""
        point = (src, dst, protocol, sport, dport)
        return all(span[0] <= at <= span[1] for span, at in zip(self[1:], point, strict=True))

    @property
    def shape(self) -> Shape:
        """The kind of map that holds it: a hash finds it if it is one destination and port, for all sources."""
        ports = (self.sport, self.dport) != (ALL_PORTS, ALL_PORTS)
        one = all(low == high for low, high in (self.dst, self.protocol, *([self.dport] if ports else [])))
        free = self.src == (0, 2 ** _BITS[self.version] - 1) and self.sport == ALL_PORTS
        return Shape(self.version, one and free, ports)

    @property
    def by_header(self) -> bool:
        """Whether its protocol is a header that others follow; what the kernel knows as a protocol is the last one."""
        return self.version == 6 and self.protocol != ALL_PROTOCOLS and self.protocol[0] in BEFORE_OTHERS

    def turned(self) -> Box:
        """What answers to it: source and destination exchanged."""
        return Box(self.version, self.dst, self.src, self.protocol, self.dport, self.sport)


def boxes(match: TrafficMatch) -> tuple[Box, ...]:
    """Disjoint boxes that together are what the filter describes; 400 names what cannot be read or is too much."""
    found = tuple(_boxes(match))
    if not found:
        detail = "srcAddress, dstAddress and protocol (icmp, ipv6-icmp) must have one IP version in common"
        raise bad_request("The attributes of a filter describe no packet", detail)
    return found


def _boxes(match: TrafficMatch) -> Iterator[Box]:
    versions = [6] if not isinstance(match.tc, Absent) else [4] if not isinstance(match.dscp, Absent) else [4, 6]
    sports, dports = _ports(match.src_port, "srcPort"), _ports(match.dst_port, "dstPort")
    meant = _protocols(match)
    for version in versions:
        sources = _addresses(match.src_address, "srcAddress", version)
        targets = _addresses(match.dst_address, "dstAddress", version)
        protocols = _spans(meant, version)
        if len(sources) * len(targets) * len(protocols) * len(sports) * len(dports) > MOST_BOXES:
            detail = f"their ranges multiply to more than {MOST_BOXES}; write several rules"
            raise bad_request("The attributes of a filter are too many", detail)
        for source, target, protocol, sport, dport in product(sources, targets, protocols, sports, dports):
            yield Box(version, source, target, protocol, sport, dport)


def _addresses(texts: tuple[str, ...] | Absent, field: str, version: int) -> list[Span]:
    if isinstance(texts, Absent):
        return [(0, 2 ** _BITS[version] - 1)]
    ranges: list[AddressRange] = [address_range(text, field) for text in texts]
    return merged([(r.low, r.high) for r in ranges if r.version == version])


def _ports(texts: tuple[str, ...] | Absent, field: str) -> list[Span]:
    if isinstance(texts, Absent):
        return [ALL_PORTS]
    return merged([(r.low, r.high) for r in (port_range(text, field) for text in texts)])


def _protocols(match: TrafficMatch) -> frozenset[int] | None:
    ports = not (isinstance(match.src_port, Absent) and isinstance(match.dst_port, Absent))
    numbers = meant_protocols(match.protocol, ports=ports)
    if ports and numbers and _UNTRACKED in numbers:
        name = protocol_name(_UNTRACKED)
        detail = "the kernel does not tell its flows apart by ports; leave out srcPort and dstPort, or the protocol"
        raise bad_request(f"ports of protocol {name} are not known to the kernel", detail)
    return numbers


def _spans(numbers: frozenset[int] | None, version: int) -> list[Span]:
    if numbers is None:
        return [ALL_PROTOCOLS]
    there = in_version(numbers, version)
    apart = there & BEFORE_OTHERS if version == 6 else frozenset[int]()
    return merged([(n, n) for n in there - apart]) + [(n, n) for n in sorted(apart)]


def merged(spans: Sequence[Span]) -> list[Span]:
    """The same numbers as disjoint ranges in order."""
    found: list[Span] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found
