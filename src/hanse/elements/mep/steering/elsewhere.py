"""The rules that neighbours announce, by package, by instance and by destination, kept as announcements change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from typing import TypeVar

from hanse.elements.mep.records import NeighbourRecord
from hanse.elements.mep.steering.anycast import Instance
from hanse.elements.mep.steering.spots import Word, asked, words
from hanse.refpoints.mp2 import TrafficMatch
from hanse.refpoints.mp3.services import SharedRule

W = TypeVar("W", str, Word)
Key = tuple[str, str]
"""A host, and the id of a rule that it announced."""


class Elsewhere:
    """Costs what changes, however many rules there are.

    ``ours`` tells whether an instance is this host's own: then its rules are nobody else's to announce.
    """

    def __init__(self, neighbours: Iterable[NeighbourRecord], ours: Callable[[str], bool]) -> None:
        self._ours = ours
        self._of_package: dict[str, dict[Key, Instance]] = {}
        self._of_owner: dict[str, dict[Key, Instance]] = {}
        self._at: dict[Word, dict[Key, Instance]] = {}
        for record in neighbours:
            self.change(record.host, (), record.rules)

    def change(self, host: str, gone: Iterable[SharedRule], come: Iterable[SharedRule]) -> None:
        """What a host announces no more, or in another way, and what it announces now."""
        for rule in gone:
            key = host, rule.forwarding.rule_id
            _drop(self._of_package, rule.app_d_id, key)
            _drop(self._of_owner, rule.forwarding.owner, key)
            for word in words(rule.forwarding):
                _drop(self._at, word, key)
        for rule in come:
            key, instance = (host, rule.forwarding.rule_id), Instance(host, rule)
            self._of_package.setdefault(rule.app_d_id, {})[key] = instance
            self._of_owner.setdefault(rule.forwarding.owner, {})[key] = instance
            for word in words(rule.forwarding):
                self._at.setdefault(word, {})[key] = instance

    def of_package(self, package: str) -> list[Instance]:
        """All of one package."""
        return self._theirs(self._of_package.get(package, {}))

    def package_of(self, owner: str) -> str:
        """The package of an instance; empty if no neighbour has it."""
        return next((i.rule.app_d_id for i in self._theirs(self._of_owner.get(owner, {}))), "")

    def owners(self) -> Set[str]:
        """The instances whose rules are announced."""
        return {owner for owner in self._of_owner if not self._ours(owner)}

    def met(self, match: TrafficMatch) -> Iterator[SharedRule]:
        """Those that a filter may meet."""
        for word in asked(match) if self._at else ():
            for instance in self._theirs(self._at.get(word, {})):
                yield instance.rule

    def _theirs(self, found: dict[Key, Instance]) -> list[Instance]:
        return [instance for instance in found.values() if not self._ours(instance.rule.forwarding.owner)]


def _drop(kept: dict[W, dict[Key, Instance]], word: W, key: Key) -> None:
    found = kept.get(word, {})
    found.pop(key, None)
    if not found:
        kept.pop(word, None)
