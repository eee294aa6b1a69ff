"""What filters describe as sets: what two describe both, and what is left of one beside others (pure).

A region is the product of a set for each attribute. Addresses and ports are spans in order, apart from each other;
protocols, tags and the like are words. ``None`` is everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from hanse.elements.mep.app_rules.overlap import PORTS, Described, Protocol, Span, Spans, carry

Part: TypeAlias = tuple[Span, ...] | frozenset[object] | None
Region: TypeAlias = tuple[Part, ...]
"""Destination addresses, ports and protocols; then what else tells packets apart, and above all who sent them."""

MOST_PIECES = 1000
"""Into so many pieces a region is cut at most; what is cut finer counts as not covered."""
DESTINATION = 3
"""The first parts of a region say where packets go."""
_PROTOCOL = 2
_ALL = {PORTS: (1, 65535), 4: (0, 2**32 - 1), 6: (0, 2**128 - 1)}
_EVERY = {version: frozenset((version, number) for number in range(256)) for version in (4, 6)}


def regions(wanted: Described) -> Iterator[Region]:
    """What a filter describes, by IP version: no packet has addresses of both."""
    return (_region(wanted, version) for version in wanted.versions)


def from_anywhere(region: Region) -> Region:
    """The same destination, whoever sends."""
    return region[:DESTINATION] + (None,) * (len(region) - DESTINATION)


def common(mine: Described, theirs: Described) -> Iterator[Region]:
    """What two filters that meet describe both.

    A header that others follow is no protocol of theirs, and may yet be of the same packet (`overlap.carry`).
    """
    for version in mine.versions & theirs.versions:
        one, other = _region(mine, version), _region(theirs, version)
        both = [_both(a, b) for a, b in zip(one, other, strict=True)]
        if carry(_protocols(mine, version), _protocols(theirs, version)):
            both[_PROTOCOL] = both[_PROTOCOL] or one[_PROTOCOL]
        if all(part is None or part for part in both):
            yield tuple(both)


def uncovered(wanted: Region, covers: Iterable[Region]) -> Region | None:
    """Something of a region that none of the others has; nothing if they cover it together."""
    left = [wanted]
    for cover in covers:
        left = [piece for each in left for piece in _minus(each, cover)]
        if not left or len(left) > MOST_PIECES:
            break
    return left[0] if left else None


def _region(wanted: Described, version: int) -> Region:
    return (
        _of_kind(wanted.dst_address, version),
        _of_kind(wanted.dst_port, PORTS),
        _protocols(wanted, version),
        _of_kind(wanted.src_address, version),
        _of_kind(wanted.src_port, PORTS),
        *(None if spans is None else _ordered(spans) for spans in wanted.tunnel),
        wanted.tag,
        *(None if value is None else frozenset((value,)) for value in wanted.equal),
    )


def _minus(region: Region, cover: Region) -> Iterator[Region]:
    """What is left of it: pieces that differ from the other in one part each."""
    both = tuple(_both(mine, theirs) for mine, theirs in zip(region, cover, strict=True))
    if any(part is not None and not part for part in both):
        yield region
        return
    for index, (mine, theirs) in enumerate(zip(region, cover, strict=True)):
        rest = _without(mine, theirs)
        if rest is None or rest:
            yield (*both[:index], rest, *region[index + 1 :])


def _both(mine: Part, theirs: Part) -> Part:
    if mine is None or theirs is None:
        return theirs if mine is None else mine
    if isinstance(mine, tuple) and isinstance(theirs, tuple):
        return tuple(_crossed(mine, theirs))
    return frozenset(mine) & frozenset(theirs)


def _without(mine: Part, theirs: Part) -> Part:
    """Of everything without a few words everything counts as left: nobody can name the rest."""
    if theirs is None:
        return ()
    if mine is None:
        return None
    if isinstance(mine, tuple) and isinstance(theirs, tuple):
        return tuple(_remaining(mine, theirs))
    return frozenset(mine) - frozenset(theirs)


def _crossed(mine: tuple[Span, ...], theirs: tuple[Span, ...]) -> Iterator[Span]:
    """Both in order, so one walk finds all."""
    one = other = 0
    while one < len(mine) and other < len(theirs):
        a, b = mine[one], theirs[other]
        if a.meets(b):
            yield Span(a.kind, max(a.low, b.low), min(a.high, b.high))
        if (a.kind, a.high) < (b.kind, b.high):
            one += 1
        else:
            other += 1


def _remaining(mine: tuple[Span, ...], theirs: tuple[Span, ...]) -> Iterator[Span]:
    place = 0
    for span in mine:
        low = span.low
        while place < len(theirs) and (theirs[place].kind, theirs[place].high) < (span.kind, span.low):
            place += 1
        for index in range(place, len(theirs)):
            taken = theirs[index]
            if not taken.meets(span):
                break
            if low < taken.low:
                yield Span(span.kind, low, taken.low - 1)
            low = taken.high + 1
        if low <= span.high:
            yield Span(span.kind, low, span.high)


def _of_kind(spans: Spans, kind: int) -> tuple[Span, ...]:
    """Of an IP version, or ports: all of them if none is named."""
    if spans is None:
        return (Span(kind, *_ALL[kind]),)
    return _ordered(span for span in spans if span.kind == kind)


def _ordered(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order, and what touches as one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and found[-1].kind == span.kind and span.low <= found[-1].high + 1:
            found[-1] = Span(span.kind, found[-1].low, max(found[-1].high, span.high))
        else:
            found.append(span)
    return tuple(found)


def _protocols(wanted: Described, version: int) -> frozenset[Protocol]:
    if wanted.protocol is None:
        return _EVERY[version]
    return frozenset(each for each in wanted.protocol if each[0] == version)
