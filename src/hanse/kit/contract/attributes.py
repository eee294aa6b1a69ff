"""Attributes of a type by the names that they have on the wire, one below the other: ``_links/self/href``."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from hanse.kit.problems import bad_request

MOST_LEVELS = 32
"""Levels of attributes that a request may name; no type of ours has as many."""


@dataclass(frozen=True)
class Attribute:
    """One attribute: its name on the wire and in code, the type of its value (of one item, if it is an array)."""

    name: str
    member: str
    shape: Any
    array: bool
    required: bool

    @property
    def complex(self) -> bool:
        """Whether the value has parts: an array, a structure, an object of free keys."""
        return self.array or is_structure(self.shape) or is_free(self.shape)


def is_structure(shape: Any) -> bool:
    """Whether a type has attributes of its own."""
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct)


def members(shape: Any) -> tuple[Any, ...]:
    """The types of a union; a type that is none is its only member."""
    union = typing.get_origin(shape) in (typing.Union, types.UnionType)
    return typing.get_args(shape) if union else (shape,)


def is_free(shape: Any) -> bool:
    """Whether a type is an object of any keys, or anything at all."""
    return shape is Any or typing.get_origin(shape) is dict or shape is dict


@functools.cache
def attributes_of(shape: type[msgspec.Struct]) -> Mapping[str, Attribute]:
    """The attributes of a structure by their names on the wire."""
    found = {}
    for field in msgspec.structs.fields(shape):
        kind, array = _item(_present(field.type))
        found[field.encode_name] = Attribute(field.encode_name, field.name, kind, array, field.required)
    return found


def attribute_at(shape: Any, path: Sequence[str], parameter: str) -> list[Attribute]:
    """The attributes from ``shape`` down to that at ``path``; a problem 400 names ``parameter`` and what is legal."""
    if len(path) > MOST_LEVELS:
        raise bad_request(f"Invalid query parameter {parameter}", f"at most {MOST_LEVELS} levels")
    steps: list[Attribute] = []
    for name in path:
        if is_free(shape):
            steps.append(Attribute(name, name, Any, array=False, required=False))
            shape = Any
            continue
        known = attributes_of(shape) if is_structure(shape) else {}
        if name not in known:
            detail = f"there is no {'/'.join(path)}; legal: {', '.join(known) or 'nothing below it'}"
            raise bad_request(f"Invalid query parameter {parameter}", detail)
        steps.append(known[name])
        shape = known[name].shape
    return steps


def values_at(value: Any, steps: Sequence[Attribute]) -> Iterator[Any]:
    """What a value has there: nothing where an attribute is absent, each item where one is an array."""
    if value is None or value is msgspec.UNSET:
        return
    if isinstance(value, list | tuple):
        for item in value:
            yield from values_at(item, steps)
    elif not steps:
        yield value
    elif isinstance(value, dict):
        yield from values_at(value.get(steps[0].name), steps[1:])
    else:
        yield from values_at(getattr(value, steps[0].member, None), steps[1:])


def _present(shape: Any) -> Any:
    """A type without the possibilities of being absent or null."""
    if typing.get_origin(shape) not in (typing.Union, types.UnionType):
        return shape
    members = [m for m in typing.get_args(shape) if m not in (msgspec.UnsetType, type(None))]
    return members[0] if len(members) == 1 else Any


def _item(shape: Any) -> tuple[Any, bool]:
    if typing.get_origin(shape) in (tuple, list):
        return _present(typing.get_args(shape)[0]), True
    return shape, False
