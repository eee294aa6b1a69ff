"""The rules that may take a flow, found by where it goes and whence it comes, however many others there are."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import product

from hanse.drivers.dataplane_userspace.endpoints import ANYWHERE, Endpoint
from hanse.drivers.dataplane_userspace.rules import Address, Filter, Rule, address_number, place
from hanse.refpoints.mp2.ranges import AddressRange, PortRange

ANY_PORT = 0
_MOST_SPOTS = 64
"""Addresses, or ports, of a filter by each of which its rule is found; one with more is among the rules for all."""


_Sources = frozenset[Address] | None
"""Of a rule, as it tells them."""


class _Spot:
    """Rules of one place, in their order: those for single sources by these, and those for ranges or for all."""

    def __init__(self) -> None:
        self._wide: list[Rule] = []
        self._by_source: dict[Address, list[Rule]] = {}

    def add(self, rule: Rule, sources: _Sources) -> None:
        for rules in self._lists(sources):
            insort(rules, rule, key=place)

    def remove(self, rule: Rule, sources: _Sources) -> None:
        for rules in self._lists(sources):
            _taken_out(rules, rule)
        for source in sources or ():
            if not self._by_source[source]:
                del self._by_source[source]

    @property
    def empty(self) -> bool:
        return not (self._wide or self._by_source)

    def candidates(self, source: Address) -> Iterator[list[Rule]]:
        if self._wide:
            yield self._wide
        if source in self._by_source:
            yield self._by_source[source]

    def _lists(self, sources: _Sources) -> Iterator[list[Rule]]:
        if sources is None:
            yield self._wide
        for source in sources or ():
            yield self._by_source.setdefault(source, [])


class RuleIndex:
    """Rules in force by the places that their filters name; a filter for many addresses or ports is for all of them."""

    def __init__(self) -> None:
        self._spots: dict[Endpoint, _Spot] = {}

    def add(self, rule: Rule) -> None:
        """A rule is in force."""
        sources = rule.sources
        for spot in places(rule):
            self._spots.setdefault(spot, _Spot()).add(rule, sources)

    def remove(self, rule: Rule) -> None:
        """A rule that was added is in force no more."""
        sources = rule.sources
        for spot in places(rule):
            self._spots[spot].remove(rule, sources)
            if self._spots[spot].empty:
                del self._spots[spot]

    def candidates(self, source: str, dialled: Endpoint) -> Iterable[Rule]:
        """Every rule that may take a flow from there to there, the first priority first; most others are left out."""
        number = address_number(source)
        around = product((dialled.address, ANYWHERE), (dialled.port, ANY_PORT))
        spots = (self._spots.get(Endpoint(dialled.protocol, *spot)) for spot in around)
        found = [rules for spot in spots if spot for rules in spot.candidates(number)]
        if len(found) == 1:
            return found[0]
        return _once(merge(*found, key=place))


class Listened:
    """Rules by the sockets that they have; a flow that no rule takes is counted at one of them."""

    def __init__(self) -> None:
        self._at: dict[Endpoint, list[Rule]] = {}

    def add(self, rule: Rule, at: Iterable[Endpoint]) -> None:
        """A rule listens there."""
        for endpoint in at:
            insort(self._at.setdefault(endpoint, []), rule, key=place)

    def remove(self, rule: Rule, at: Iterable[Endpoint]) -> None:
        """A rule listens there no more."""
        for endpoint in at:
            _taken_out(self._at[endpoint], rule)
            if not self._at[endpoint]:
                del self._at[endpoint]

    def first(self, dialled: Endpoint) -> Rule | None:
        """The first of the rules that listen there, or at that port of every address."""
        heads = [self._at[spot][0] for spot in (dialled, dialled.everywhere) if spot in self._at]
        return min(heads, key=place, default=None)


def places(rule: Rule) -> frozenset[Endpoint]:
    """Where a rule is looked for."""
    return frozenset(Endpoint(*spot) for described in rule.filters for spot in _places(described))


def _places(described: Filter) -> Iterable[tuple[str, str, int]]:
    return product(described.protocols, _addresses(described.dst_address), _ports(described.dst_port))


def _addresses(wanted: tuple[AddressRange, ...] | None) -> list[str]:
    if wanted is None or sum(span.size for span in wanted) > _MOST_SPOTS:
        return [ANYWHERE]
    return [address for span in wanted for address in span.addresses()]


def _ports(wanted: tuple[PortRange, ...] | None) -> Iterable[int]:
    if wanted is None or sum(run.size for run in wanted) > _MOST_SPOTS:
        return (ANY_PORT,)
    return [port for run in wanted for port in run.ports()]


def _once(rules: Iterator[Rule]) -> Iterator[Rule]:
    """A rule whose filters are for several of the places comes several times in a row."""
    last = None
    for rule in rules:
        if rule is not last:
            yield rule
        last = rule


def _taken_out(rules: list[Rule], rule: Rule) -> None:
    del rules[bisect_left(rules, place(rule), key=place)]
