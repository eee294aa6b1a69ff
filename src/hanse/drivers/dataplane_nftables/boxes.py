"""Filters as boxes: what a `TrafficMatch` describes, as ranges of addresses, protocols and ports (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from hanse.kit.problems import bad_request
from hanse.kit.values import Absent
from hanse.refpoints.mp2 import TrafficMatch
from hanse.refpoints.mp2.ranges import AddressRange, address_range, port_range

MOST_BOXES = 1024
"""Boxes that one filter may take: the product of its ranges."""

Span = tuple[int, int]
"""A range, both ends included."""

ALL_PORTS: Span = (0, 65535)
ALL_PROTOCOLS: Span = (0, 255)
TCP, UDP = 6, 17
_NUMBERS = {"tcp": (TCP, TCP), "udp": (UDP, UDP), "icmp": (1, 58), "sctp": (132, 132)}
_WITH_PORTS = ("tcp", "udp", "sctp")
_BITS = {4: 32, 6: 128}


class Shape(NamedTuple):
    """What one map may hold: boxes of an IP version, of one destination each (``exact``) or of ranges."""

    version: int
    exact: bool


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
        return self.version == other.version and all(
            mine[0] <= theirs[1] and theirs[0] <= mine[1] for mine, theirs in zip(self[1:], other[1:], strict=True)
        )

    def contains(self, src: int, dst: int, protocol: int, sport: int, dport: int) -> bool:
        """Whether a packet of this IP version lies in it; ports are 0 where the protocol has none."""
        point = (src, dst, protocol, sport, dport)
        return all(span[0] <= at <= span[1] for span, at in zip(self[1:], point, strict=True))

    @property
    def shape(self) -> Shape:
        """The kind of map that holds it: a hash finds it if it is one destination and port, for all sources."""
        one = all(low == high for low, high in (self.dst, self.protocol, self.dport))
        free = self.src == (0, 2 ** _BITS[self.version] - 1) and self.sport == ALL_PORTS
        return Shape(self.version, one and free)

    def turned(self) -> Box:
        """What answers to it: source and destination exchanged."""
        return Box(self.version, self.dst, self.src, self.protocol, self.dport, self.sport)


def boxes(match: TrafficMatch) -> tuple[Box, ...]:
    """Disjoint boxes that together are what the filter describes; 400 names what cannot be read or is too much."""
    found = tuple(_boxes(match))
    if not found:
        raise bad_request("srcAddress and dstAddress differ", "both must have addresses of one IP version")
    return found


def _boxes(match: TrafficMatch) -> Iterator[Box]:
    versions = [6] if not isinstance(match.tc, Absent) else [4] if not isinstance(match.dscp, Absent) else [4, 6]
    sports, dports = _ports(match.src_port, "srcPort"), _ports(match.dst_port, "dstPort")
    for version in versions:
        sources = _addresses(match.src_address, "srcAddress", version)
        targets = _addresses(match.dst_address, "dstAddress", version)
        protocols = _protocols(match, version)
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


def _protocols(match: TrafficMatch, version: int) -> list[Span]:
    """Those named; only those with ports if ports are named."""
    ported = not (isinstance(match.src_port, Absent) and isinstance(match.dst_port, Absent))
    if isinstance(match.protocol, Absent):
        return [_NUMBERS["tcp"], _NUMBERS["udp"]] if ported else [ALL_PROTOCOLS]
    names = {name.strip().lower() for name in match.protocol}
    if unknown := sorted(names - _NUMBERS.keys()):
        raise bad_request("protocol is not carried", f"write tcp, udp, icmp or sctp; got {', '.join(unknown)}")
    if ported and not names <= set(_WITH_PORTS):
        raise bad_request("protocol icmp has no ports", "leave out srcPort and dstPort, or the protocol")
    return merged([_number(name, version) for name in names])


def _number(name: str, version: int) -> Span:
    if name == "icmp":
        number = _NUMBERS[name][0 if version == 4 else 1]
        return number, number
    return _NUMBERS[name]


def merged(spans: Sequence[Span]) -> list[Span]:
    """The same numbers as disjoint ranges in order."""
    found: list[Span] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found
