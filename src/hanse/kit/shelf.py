"""Shelves of values by key, and the transactions in which decisions read and change them (see `hanse.kit.store`)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, ItemsView, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from hanse.kit.problems import not_found

if TYPE_CHECKING:
    from hanse.kit.shelf_index import Index

T = TypeVar("T", bound=msgspec.Struct)
V = TypeVar("V")

DELETED: Any = object()
"""Stands in a transaction, and on its way to the disk, for a value that is removed."""


class Shelf(Generic[T]):
    """Values of one type by key, as they stand on disk."""

    def __init__(self, name: str, kind: type[T]) -> None:
        self.name = name
        self.kind = kind
        self._durable: dict[str, T] = {}
        self._staged: dict[str, tuple[int, Any]] = {}
        self._indexes: list[Index[T, Any]] = []

    def get(self, key: str) -> T:
        """The value under ``key``; a problem 404 if there is none."""
        value = self._durable.get(key)
        if value is None:
            raise not_found(self.name.replace("_", " "), key)
        return value

    def find(self, key: str) -> T | None:
        """The value under ``key``, or ``None``."""
        return self._durable.get(key)

    def values(self) -> list[T]:
        """All values, in the order in which their keys first came."""
        return list(self._durable.values())

    def items(self) -> ItemsView[str, T]:
        """All keys and values, in that order; to be read before anything else happens."""
        return self._durable.items()

    def follow(self, index: Index[T, Any]) -> None:
        """Keep an index in step from now on (see `Index`)."""
        self._indexes.append(index)

    def stage(self, number: int, key: str, value: Any) -> None:
        """The decision of this number is on its way to the disk with a value, or ``DELETED``."""
        self._staged[key] = (number, value)
        if value is not DELETED:
            for index in self._indexes:
                index.stage(number, key, value)

    def settle(self, number: int, key: str, value: Any, *, kept: bool) -> None:
        """It is on disk, or was refused."""
        if self._indexes:
            before, after = self._durable.get(key), None if value is DELETED else value
            for index in self._indexes:
                index.settle(number, key, before, after, kept=kept)
        if kept and value is DELETED:
            self._durable.pop(key, None)
        elif kept:
            self._durable[key] = value
        if self._staged.get(key, (0, None))[0] == number:
            del self._staged[key]

    def __len__(self) -> int:
        return len(self._durable)

    def __contains__(self, key: str) -> bool:
        return key in self._durable


class Transaction:
    """What a decision may do: read every shelf as all earlier decisions leave it, and change it."""

    def __init__(self) -> None:
        self.changes: dict[tuple[str, str], tuple[Shelf[Any], Any]] = {}
        self._put: dict[str, dict[str, None]] = {}  # keys with a value, by the name of each shelf that is changed
        self.after: list[Callable[[], None]] = []
        """Run on the event loop once the decision is on disk."""

    def find(self, shelf: Shelf[T], key: str) -> T | None:
        """The value under ``key``, or ``None``."""
        if (shelf.name, key) in self.changes:
            value = self.changes[shelf.name, key][1]
        else:
            _, value = shelf._staged.get(key, (0, shelf._durable.get(key)))
        return None if value is DELETED else value

    def get(self, shelf: Shelf[T], key: str) -> T:
        """The value under ``key``; a problem 404 if there is none."""
        value = self.find(shelf, key)
        if value is None:
            raise not_found(shelf.name.replace("_", " "), key)
        return value

    def values(self, shelf: Shelf[T]) -> Iterator[T]:
        """All values of a shelf."""
        for _, value in self.items(shelf):
            yield value

    def items(self, shelf: Shelf[T]) -> Iterator[tuple[str, T]]:
        """All keys and values of a shelf, in the order in which the keys first came."""
        for key in dict.fromkeys([*shelf._durable, *shelf._staged, *self._put.get(shelf.name, ())]):
            value = self.find(shelf, key)
            if value is not None:
                yield key, value

    def under(self, index: Index[T, V], word: Hashable) -> list[V]:
        """What an index has under a word, as all earlier decisions and this one leave it."""
        shelf, durable = index.shelf, index.durable(word)
        if self._sees_the_disk_alone(shelf):
            return list(durable.values())
        found = []
        for key in dict.fromkeys([*durable, *index.coming(word), *self._put.get(shelf.name, ())]):
            if key in durable and key not in shelf._staged and (shelf.name, key) not in self.changes:
                found.append(durable[key])
            elif (value := self.find(shelf, key)) is not None and word in (made := index.by(value)):
                found.append(made[word])
        return found

    def count(self, index: Index[T, Any], word: Hashable) -> int:
        """How many those are."""
        return index.count(word) if self._sees_the_disk_alone(index.shelf) else len(self.under(index, word))

    def put(self, shelf: Shelf[T], key: str, value: T) -> None:
        """Set the value under ``key``."""
        self.changes[shelf.name, key] = (shelf, value)
        self._put.setdefault(shelf.name, {})[key] = None

    def delete(self, shelf: Shelf[T], key: str) -> None:
        """Remove what is under ``key``; nothing there is no error."""
        self.changes[shelf.name, key] = (shelf, DELETED)
        self._put.setdefault(shelf.name, {}).pop(key, None)

    def _sees_the_disk_alone(self, shelf: Shelf[Any]) -> bool:
        """Whether neither an earlier decision on its way nor this one changes a shelf."""
        return not shelf._staged and shelf.name not in self._put
