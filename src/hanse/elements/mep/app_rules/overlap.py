"""Whether two traffic filters may describe one packet (ETSI GS MEC 011 V3.1.1, 7.1.5.2; pure).

What cannot be read describes nothing here: whoever carries the rule out refuses it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hanse.kit.problems import Problem
from hanse.kit.values import Absent
from hanse.refpoints.mp1.support import TrafficFilter
from hanse.refpoints.mp2.ranges import address_range, port_range

PORTS = 0
"""Stands where addresses have their IP version."""


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
    protocol: frozenset[str] | None
    tag: frozenset[str] | None
    equal: tuple[int | None, ...]
    version: int | None

    def meets(self, other: Described) -> bool:
        """Whether a packet may be described by both: no attribute that both have tells them apart.

        Two tags are taken for two devices; a tag and an address may mean the same one.
        """
        return (
            _meet(self.dst_address, other.dst_address)
            and _meet(self.src_address, other.src_address)
            and _meet(self.dst_port, other.dst_port)
            and _meet(self.src_port, other.src_port)
            and _share(self.protocol, other.protocol)
            and _share(self.tag, other.tag)
            and all(_same(mine, theirs) for mine, theirs in zip(self.equal, other.equal, strict=True))
            and _same(self.version, other.version)
            and all(_meet(mine, theirs) for mine, theirs in zip(self.tunnel, other.tunnel, strict=True))
        )


def described(wanted: TrafficFilter) -> Described:
    """Read a filter."""
    tunnel_addresses = (wanted.src_tunnel_address, wanted.tgt_tunnel_address)
    tunnel_ports = (wanted.src_tunnel_port, wanted.dst_tunnel_port)
    return Described(
        dst_address=_spans(wanted.dst_address, _address),
        src_address=_spans(wanted.src_address, _address),
        dst_port=_spans(wanted.dst_port, _port),
        src_port=_spans(wanted.src_port, _port),
        tunnel=(*(_spans(a, _address) for a in tunnel_addresses), *(_spans(p, _port) for p in tunnel_ports)),
        protocol=_words(wanted.protocol),
        tag=_words(wanted.tag),
        equal=(_number(wanted.qci), _number(wanted.dscp), _number(wanted.tc)),
        version=4 if _number(wanted.dscp) is not None else 6 if _number(wanted.tc) is not None else None,
    )


def _spans(texts: tuple[str, ...] | Absent, read: Callable[[str], Span]) -> Spans:
    return tuple(_readable(texts, read)) if isinstance(texts, tuple) and texts else None


def _readable(texts: tuple[str, ...], read: Callable[[str], Span]) -> Iterator[Span]:
    for text in texts:
        try:
            yield read(text)
        except Problem:
            continue


def _address(text: str) -> Span:
    return Span(*address_range(text, "address"))


def _port(text: str) -> Span:
    return Span(PORTS, *port_range(text, "port"))


def _words(texts: tuple[str, ...] | Absent) -> frozenset[str] | None:
    return frozenset(text.strip().lower() for text in texts) if isinstance(texts, tuple) and texts else None


def _number(value: int | Absent) -> int | None:
    return value if isinstance(value, int) else None


def _meet(mine: Spans, theirs: Spans) -> bool:
    return mine is None or theirs is None or any(a.meets(b) for a in mine for b in theirs)


def _share(mine: frozenset[str] | None, theirs: frozenset[str] | None) -> bool:
    return mine is None or theirs is None or not mine.isdisjoint(theirs)


def _same(mine: int | None, theirs: int | None) -> bool:
    return mine is None or theirs is None or mine == theirs
