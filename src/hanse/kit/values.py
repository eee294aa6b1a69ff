"""Values: frozen structs, camelCase on the wire, with a clear word for "not there"."""

from __future__ import annotations

from typing import Final, dataclass_transform

import msgspec

Absent = msgspec.UnsetType
"""Type of an attribute that may be left out of a representation."""

ABSENT: Final = msgspec.UNSET
"""The value of an attribute that was left out; it is not written to the wire."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _FrozenMeta(msgspec.StructMeta):
    """Tells the type checker what msgspec does at run time: subclasses of a frozen struct are frozen."""


class Value(msgspec.Struct, metaclass=_FrozenMeta, frozen=True, kw_only=True, rename="camel"):
    """Base of everything that is stored or crosses a reference point.

    Attribute names are snake_case in code and camelCase on the wire. Attributes that may be absent are typed
    ``X | Absent`` with the default ``ABSENT``.
    """


class Link(Value):
    """A link to a resource (LinkType, ETSI GS MEC 011 V3.1.1, 6.3.2)."""

    href: str


class TimeStamp(Value):
    """Unix time in UTC (ETSI GS MEC 011 V3.1.1, 7.1.2.5); both members are Uint32."""

    seconds: int
    nano_seconds: int
