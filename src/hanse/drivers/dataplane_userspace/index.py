"""The rules that may take a flow, found by where it goes and whence it comes, however many others there are."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from heapq import merge

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.rules import Address, Rule, address_number, place

_NONE: list[Rule] = []


class _Spot:
    """Rules of one place, in their order: those for single sources by these, and those for ranges or for all."""

    def __init__(self) -> None:
        self.every: list[Rule] = []
        self._wide: list[Rule] = []
        self._by_source: dict[Address, list[Rule]] = {}

    def add(self, rule: Rule) -> None:
        insort(self.every, rule, key=place)
        for rules in self._lists(rule):
            insort(rules, rule, key=place)

    def remove(self, rule: Rule) -> None:
        _taken_out(self.every, rule)
        for rules in self._lists(rule):
            _taken_out(rules, rule)
        for source in rule.sources or ():
            if not self._by_source[source]:
                del self._by_source[source]

    def candidates(self, source: Address) -> tuple[list[Rule], list[Rule]]:
        return self._by_source.get(source, _NONE), self._wide

    def _lists(self, rule: Rule) -> Iterator[list[Rule]]:
        if rule.sources is None:
            yield self._wide
        for source in rule.sources or ():
            yield self._by_source.setdefault(source, [])


class RuleIndex:
    """Rules in force by the endpoints that they listen on; those that listen nowhere (DROP) may take any flow."""

    def __init__(self) -> None:
        self._spots: dict[Endpoint, _Spot] = {}
        self._anywhere = _Spot()

    def add(self, rule: Rule, listens: Iterable[Endpoint]) -> None:
        """A rule is in force that listens there."""
        for spot in [self._spots.setdefault(e, _Spot()) for e in listens] or [self._anywhere]:
            spot.add(rule)

    def remove(self, rule: Rule, listens: Iterable[Endpoint]) -> None:
        """A rule that was added with these endpoints is in force no more."""
        there = list(listens)
        for spot in [self._spots[e] for e in there] or [self._anywhere]:
            spot.remove(rule)
        for endpoint in there:
            if not self._spots[endpoint].every:
                del self._spots[endpoint]

    def candidates(self, source: str, endpoint: Endpoint) -> Iterator[Rule]:
        """Every rule that may take a flow from there to there, the first priority first; others are left out."""
        number = address_number(source)
        spot = self._spots.get(endpoint)
        there = spot.candidates(number) if spot else ()
        return merge(*there, *self._anywhere.candidates(number), key=place)

    def first_listening(self, endpoint: Endpoint) -> Rule | None:
        """The first of the rules that listen there."""
        spot = self._spots.get(endpoint)
        return spot.every[0] if spot else None


def _taken_out(rules: list[Rule], rule: Rule) -> None:
    del rules[bisect_left(rules, place(rule), key=place)]
