"""Values: frozen structs, camelCase on the wire, with a clear word for "not there"."""

from __future__ import annotations

from typing import Any, Final, TypeVar, dataclass_transform

import msgspec

Absent = msgspec.UnsetType
"""Type of an attribute that may be left out of a representation."""

ABSENT: Final = msgspec.UNSET
"""The value of an attribute that was left out; it is not written to the wire."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _FrozenMeta(msgspec.StructMeta):
    """Makes every subclass frozen and keyword-only, at run time and for the type checker."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], *, kw_only: bool = True, **options: Any
    ) -> Any:
        return super().__new__(mcs, name, bases, namespace, kw_only=kw_only, **options)


class Value(msgspec.Struct, metaclass=_FrozenMeta, frozen=True, kw_only=True, rename="camel"):
    """Base of everything that is stored or crosses a reference point.

    Attribute names are snake_case in code and camelCase on the wire. Attributes that may be absent are typed
    ``X | Absent`` with the default ``ABSENT``.
    """


V = TypeVar("V", bound=Value)


def without_empty_lists(value: V) -> V:
    """The same value: where none to many are allowed, an empty list says what an attribute that is left out says.

    Clients made by a generator send all lists that they know.
    """
    empty = {name: ABSENT for name in value.__struct_fields__ if getattr(value, name) == ()}
    return msgspec.structs.replace(value, **empty) if empty else value


class Link(Value):
    """A link to a resource (LinkType, ETSI GS MEC 011 V3.1.1, 6.3.2)."""

    href: str


class TimeStamp(Value):
    """Unix time in UTC (ETSI GS MEC 011 V3.1.1, 7.1.2.5); both members are Uint32."""

    seconds: int
    nano_seconds: int
