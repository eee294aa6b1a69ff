"""Shelves of values by key, and the transactions in which decisions read and change them (see `hanse.kit.store`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from hanse.kit.problems import not_found

T = TypeVar("T", bound=msgspec.Struct)

DELETED: Any = object()
"""Stands in a transaction, and on its way to the disk, for a value that is removed."""


class Shelf(Generic[T]):
    """Values of one type by key, as they stand on disk."""

    def __init__(self, name: str, kind: type[T]) -> None:
        self.name = name
        self.kind = kind
        self._durable: dict[str, T] = {}
        self._staged: dict[str, tuple[int, Any]] = {}

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

    def __len__(self) -> int:
        return len(self._durable)

    def __contains__(self, key: str) -> bool:
        return key in self._durable


class Transaction:
    """What a decision may do: read every shelf as all earlier decisions leave it, and change it."""

    def __init__(self) -> None:
        self.changes: dict[tuple[str, str], tuple[Shelf[Any], Any]] = {}
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
        own = [key for name, key in self.changes if name == shelf.name]
        for key in dict.fromkeys([*shelf._durable, *shelf._staged, *own]):
            value = self.find(shelf, key)
            if value is not None:
                yield key, value

    def put(self, shelf: Shelf[T], key: str, value: T) -> None:
        """Set the value under ``key``."""
        self.changes[shelf.name, key] = (shelf, value)

    def delete(self, shelf: Shelf[T], key: str) -> None:
        """Remove what is under ``key``; nothing there is no error."""
        self.changes[shelf.name, key] = (shelf, DELETED)
