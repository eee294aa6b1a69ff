"""A small type language for TOSCA values, and the check that a value conforms (TOSCA Simple Profile YAML 1.3, 3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hanse.model.descriptor.base import Violation
from hanse.model.descriptor.tosca import scalars


@dataclass(frozen=True)
class Text:
    """A string, of certain values or of a pattern; ``why`` says the pattern in words."""

    one_of: tuple[str, ...] = ()
    pattern: str = ""
    why: str = ""


@dataclass(frozen=True)
class Whole:
    """An integer, not below ``least``."""

    least: int | None = None


@dataclass(frozen=True)
class Flag:
    """A boolean."""


@dataclass(frozen=True)
class Scalar:
    """A string with a number and a unit, read by ``read``."""

    read: Callable[[str], int | float]
    example: str


@dataclass(frozen=True)
class ListOf:
    """A list, with at most ``longest`` items."""

    item: Type
    longest: int | None = None


@dataclass(frozen=True)
class MapOf:
    """A map from strings."""

    item: Type


@dataclass(frozen=True)
class Shape:
    """A data type or node type: its required and optional properties; ``open`` ones tolerate others."""

    required: Mapping[str, Type] = field(default_factory=dict)
    optional: Mapping[str, Type] = field(default_factory=dict)
    open: bool = False


@dataclass(frozen=True)
class Anything:
    """A value that we do not look into."""


@dataclass(frozen=True)
class OneOf:
    """A value of any of these types; the first says what would be right."""

    types: tuple[Type, ...]


Type = Text | Whole | Flag | Scalar | ListOf | MapOf | Shape | Anything | OneOf

TEXT: Final = Text()
FLAG: Final = Flag()
ANYTHING: Final = Anything()
SIZE: Final = Scalar(scalars.size, "512 MiB")
TIME: Final = Scalar(scalars.time, "60 s")
TEXTS: Final = ListOf(TEXT)


def each(names: Iterable[str], expected: Type) -> dict[str, Type]:
    """Several properties of one type."""
    return dict.fromkeys(names, expected)


def violations(value: Any, expected: Type, path: str) -> Iterator[Violation]:
    """Every place below ``path`` where ``value`` is not of the ``expected`` type."""
    match expected:
        case Text():
            yield from _text(value, expected, path)
        case Whole():
            yield from _whole(value, expected, path)
        case Flag() if not isinstance(value, bool):
            yield _wrong(path, "true or false", value)
        case Scalar():
            yield from _scalar(value, expected, path)
        case ListOf():
            yield from _list(value, expected, path)
        case MapOf():
            yield from _map(value, expected, path)
        case Shape():
            yield from _shape(value, expected, path)
        case OneOf(types) if not any(conforms(value, one) for one in types):
            yield from violations(value, types[0], path)


def conforms(value: Any, expected: Type) -> bool:
    """Whether ``value`` is of the ``expected`` type."""
    return next(violations(value, expected, ""), None) is None


def _wrong(path: str, wanted: str, value: Any) -> Violation:
    return Violation(path=path, message=f"must be {wanted}, not {str(value)[:60]!r}")


def _text(value: Any, expected: Text, path: str) -> Iterator[Violation]:
    if not isinstance(value, str):
        yield _wrong(path, "a string (quote it)", value)
    elif expected.one_of and value not in expected.one_of:
        yield _wrong(path, f"one of {', '.join(expected.one_of)}", value)
    elif expected.pattern and not re.fullmatch(expected.pattern, value):
        yield _wrong(path, expected.why, value)


def _whole(value: Any, expected: Whole, path: str) -> Iterator[Violation]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield _wrong(path, "a whole number", value)
    elif expected.least is not None and value < expected.least:
        yield _wrong(path, f"{expected.least} or more", value)


def _scalar(value: Any, expected: Scalar, path: str) -> Iterator[Violation]:
    try:
        expected.read(value if isinstance(value, str) else "")
    except ValueError as error:
        yield _wrong(path, f"like {expected.example!r} ({error})", value)


def _list(value: Any, expected: ListOf, path: str) -> Iterator[Violation]:
    if not isinstance(value, list):
        yield _wrong(path, "a list", value)
        return
    if expected.longest is not None and len(value) > expected.longest:
        yield Violation(path=path, message=f"has at most {expected.longest} items, not {len(value)}")
    for index, item in enumerate(value):
        yield from violations(item, expected.item, f"{path}[{index}]")


def _map(value: Any, expected: MapOf, path: str) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield _wrong(path, "a map", value)
        return
    for key, item in value.items():
        yield from violations(item, expected.item, f"{path}.{key}")


def _shape(value: Any, expected: Shape, path: str) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield _wrong(path, "a map", value)
        return
    known = {**expected.required, **expected.optional}
    for name in expected.required.keys() - value.keys():
        yield Violation(path=f"{path}.{name}", message="is missing")
    for name, item in value.items():
        if name in known:
            yield from violations(item, known[name], f"{path}.{name}")
        elif not expected.open:
            yield Violation(path=f"{path}.{name}", message=f"is not known; there are {', '.join(sorted(known))}")
