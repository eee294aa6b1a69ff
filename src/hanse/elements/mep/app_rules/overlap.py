"""Whether two traffic filters may describe one packet (ETSI GS MEC 011 V3.1.1, 7.1.5.2; pure).

What cannot be read describes nothing here: whoever carries the rule out refuses it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from hanse.kit.problems import Problem
from hanse.kit.values import Absent
from hanse.refpoints.mp1.support import TrafficFilter
from hanse.refpoints.mp2.protocols import BEFORE_OTHERS, BY_PORTS_ALONE, WITH_PORTS, in_version, protocol_number
from hanse.refpoints.mp2.ranges import address_range, port_range

PORTS = 0
"""Stands where addresses have their IP version."""
Protocol = tuple[int, int]
"""IP version and number."""
_VERSIONS = frozenset({4, 6})
T = TypeVar("T")


class Span(NamedTuple):
    """Addresses of one IP version, or ports, from ``low`` to ``high``, both included."""

    kind: int
    low: int
    high: int

    def meets(self, other: Span) -> bool:
        """Whether something lies in both."""
        return self.kind == other.kind and self.low <= other.high and other.low <= self.high


Spans = tuple[Span, ...] | None
"""The values of an attribute; ``None``: it is absent, and everything has it."""


class Described(NamedTuple):
    """A traffic filter, read once; ``equal`` are the attributes of one value (QCI, DSCP, traffic class)."""

    dst_address: Spans
    src_address: Spans
    dst_port: Spans
    src_port: Spans
    tunnel: tuple[Spans, ...]
    protocol: frozenset[Protocol] | None
    tag: frozenset[str] | None
    equal: tuple[int | None, ...]
    versions: frozenset[int]

    def meets(self, other: Described) -> bool:
        """Whether a packet may be described by both: no attribute that both have tells them apart.

        Two tags are taken for two devices; a tag and an address may mean the same one.
        """
        return (
            _meet(self.dst_address, other.dst_address)
            and _meet(self.src_address, other.src_address)
            and _meet(self.dst_port, other.dst_port)
            and _meet(self.src_port, other.src_port)
            and carry(self.protocol, other.protocol)
            and _share(self.tag, other.tag)
            and all(_same(mine, theirs) for mine, theirs in zip(self.equal, other.equal, strict=True))
            and not self.versions.isdisjoint(other.versions)
            and all(_meet(mine, theirs) for mine, theirs in zip(self.tunnel, other.tunnel, strict=True))
        )


def described(wanted: TrafficFilter) -> Described:
    """Read a filter."""
    tunnel_addresses = (wanted.src_tunnel_address, wanted.tgt_tunnel_address)
    tunnel_ports = (wanted.src_tunnel_port, wanted.dst_tunnel_port)
    to, of = _spans(wanted.dst_address, _address), _spans(wanted.src_address, _address)
    versions = _VERSIONS.intersection(*(_kinds(spans) for spans in (to, of)), _of_class(wanted))
    protocols = _protocols(wanted, versions)
    return Described(
        dst_address=to,
        src_address=of,
        dst_port=_spans(wanted.dst_port, _port),
        src_port=_spans(wanted.src_port, _port),
        tunnel=(*(_spans(a, _address) for a in tunnel_addresses), *(_spans(p, _port) for p in tunnel_ports)),
        protocol=protocols,
        tag=_words(wanted.tag),
        equal=(_number(wanted.qci), _number(wanted.dscp), _number(wanted.tc)),
        versions=versions if protocols is None else frozenset(version for version, _ in protocols),
    )


def _kinds(spans: Spans) -> frozenset[int]:
    """IP versions of addresses."""
    return _VERSIONS if spans is None else frozenset(span.kind for span in spans)


def _of_class(wanted: TrafficFilter) -> frozenset[int]:
    """A DSCP is of IPv4, a traffic class of IPv6 (7.1.5.2)."""
    only_four, only_six = (_number(value) is not None for value in (wanted.dscp, wanted.tc))
    return _VERSIONS - ({6} if only_four else set()) - ({4} if only_six else set())


def _protocols(wanted: TrafficFilter, versions: Iterable[int]) -> frozenset[Protocol] | None:
    """As packets of each IP version have them."""
    ports = bool(wanted.src_port) or bool(wanted.dst_port)
    if wanted.protocol:
        numbers = frozenset(_readable(wanted.protocol, _protocol))
        numbers = numbers & WITH_PORTS if ports else numbers
    elif ports:
        numbers = BY_PORTS_ALONE
    else:
        return None
    return frozenset((version, number) for version in versions for number in in_version(numbers, version))


def _spans(texts: tuple[str, ...] | Absent, read: Callable[[str], Span]) -> Spans:
    return tuple(_readable(texts, read)) if isinstance(texts, tuple) and texts else None


def _readable(texts: tuple[str, ...], read: Callable[[str], T]) -> Iterator[T]:
    for text in texts:
        try:
            yield read(text)
        except Problem:
            continue


def _address(text: str) -> Span:
    return Span(*address_range(text, "address"))


def _port(text: str) -> Span:
    return Span(PORTS, *port_range(text, "port"))


def _protocol(text: str) -> int:
    return protocol_number(text, "protocol")


def _words(texts: tuple[str, ...] | Absent) -> frozenset[str] | None:
    return frozenset(text.strip().lower() for text in texts) if isinstance(texts, tuple) and texts else None


def _number(value: int | Absent) -> int | None:
    return value if isinstance(value, int) else None


def _meet(mine: Spans, theirs: Spans) -> bool:
    return mine is None or theirs is None or any(a.meets(b) for a in mine for b in theirs)


def carry(mine: frozenset[Protocol] | None, theirs: frozenset[Protocol] | None) -> bool:
    """Whether a packet may have a protocol of both: beside a header that others follow it has one of those, too."""
    if mine is None or theirs is None or not mine.isdisjoint(theirs):
        return True
    both_six = all(any(version == 6 for version, _ in each) for each in (mine, theirs))
    return both_six and any((6, header) in mine | theirs for header in BEFORE_OTHERS)


def _share(mine: frozenset[str] | None, theirs: frozenset[str] | None) -> bool:
    return mine is None or theirs is None or not mine.isdisjoint(theirs)


def _same(mine: int | None, theirs: int | None) -> bool:
    return mine is None or theirs is None or mine == theirs
