"""Indexes: values of a shelf under the words that they may be asked for by, kept as the shelf changes.

What is asked for at every request is worked out at every change instead. An index is made at start, of a shelf that was
just read, and belongs to it from then on: what is committed is in it, what is refused never was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from hanse.kit.shelf import Shelf

T = TypeVar("T", bound=msgspec.Struct)
V = TypeVar("V")
W = TypeVar("W")


class Index(Generic[T, V]):
    """What ``by`` makes of each value of ``shelf``, under words. ``by`` is pure and cheap, and never raises.

    ``Index(services, lambda record: {record.owner: record})`` finds services by their owner. A value may have any
    number of words. Under one word they stand in the order in which they came under it.
    """

    def __init__(self, shelf: Shelf[T], by: Callable[[T], Mapping[Hashable, V]]) -> None:
        self.shelf = shelf
        self.by = by
        self._durable: dict[Hashable, dict[str, V]] = {}
        self._coming: dict[Hashable, dict[str, int]] = {}
        shelf.follow(self)
        for key, value in shelf.items():
            for word, what in self.by(value).items():
                self._durable.setdefault(word, {})[key] = what

    def values(self, word: Hashable) -> list[V]:
        """What stands under a word on disk; a decision asks its transaction, which sees earlier decisions too."""
        return list(self.durable(word).values())

    def count(self, word: Hashable) -> int:
        """How many that are."""
        return len(self.durable(word))

    def durable(self, word: Hashable) -> Mapping[str, V]:
        """The same by key."""
        return self._durable.get(word, {})

    def coming(self, word: Hashable) -> Collection[str]:
        """Keys of values on their way to the disk that may stand under a word, unless a later decision changes them."""
        return self._coming.get(word, ())

    def stage(self, number: int, key: str, value: T) -> None:
        """The decision of this number is on its way to the disk with a value."""
        for word in self.by(value):
            self._coming.setdefault(word, {})[key] = number

    def settle(self, number: int, key: str, before: T | None, after: T | None, *, kept: bool) -> None:
        """The decision has arrived, and what it left is ``after`` in the place of ``before``, or it was refused."""
        made = {} if after is None else self.by(after)
        for word in made:
            if self._coming[word].get(key) == number:  # a later decision may have put the key there again
                _remove(self._coming, word, key)
        if kept:
            if before is not None:
                self._take_away(key, before, made)
            for word, what in made.items():
                self._durable.setdefault(word, {})[key] = what

    def _take_away(self, key: str, before: T, made: Collection[Hashable]) -> None:
        for word in self.by(before):
            if word not in made:
                _remove(self._durable, word, key)


def _remove(groups: dict[Hashable, dict[str, W]], word: Hashable, key: str) -> None:
    group = groups[word]
    del group[key]
    if not group:
        del groups[word]
