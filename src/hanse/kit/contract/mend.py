"""Mending: what generated clients write where they have nothing to say, read as it is meant.

A body is looked at here only once it was found wrong; what is right costs nothing.
"""

from __future__ import annotations

import re
import typing
from typing import Any

import msgspec
from msgspec.structs import FieldInfo

from hanse.kit.contract.attributes import is_structure, members

LINKS = "_links"
"""The attribute with the links of a resource (ETSI GS MEC 011 V3.1.1, 6.3.2 and 8.1.2.2)."""

_AT_LINKS = re.compile(rf" - at `\$\.{LINKS}\b.*`$")
_NULL = "got `null`"


def mended(raw: bytes, shape: Any, message: str) -> bytes | None:
    """A body that was refused with ``message``, in other words that mean the same; ``None`` if there are none.

    ``_links`` that only answers need are the server's own word: clients send back what they have read of them, or what
    is left of it. And ``null`` for an object that need not hold anything is an empty one: languages that know no other
    word for it write so, as in the ``security`` of a transport (ETSI GS MEC 011 V3.1.1, 8.1.2.3).
    """
    if _AT_LINKS.search(message) and _may_lack_links(shape):
        sent = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        return msgspec.json.encode({name: value for name, value in sent.items() if name != LINKS})
    if _NULL in message:
        given = msgspec.json.decode(raw)
        filled = _filled(given, shape)
        return msgspec.json.encode(filled) if filled != given else None
    return None


def _may_lack_links(shape: Any) -> bool:
    return any(field.encode_name == LINKS and not field.required for field in _fields(shape))


def _filled(value: Any, shape: Any) -> Any:
    for member in members(shape):
        if isinstance(value, dict) and (fields := _fields(member)):
            known = {field.encode_name: field for field in fields}
            return {
                name: _filled_field(inner, known[name]) if name in known else inner for name, inner in value.items()
            }
        if isinstance(value, list) and typing.get_origin(member) in (list, tuple):
            return [_filled(inner, typing.get_args(member)[0]) for inner in value]
    return value


def _filled_field(value: Any, field: FieldInfo) -> Any:
    if value is None and field.required and any(_may_be_empty(member) for member in members(field.type)):
        return {}
    return _filled(value, field.type)


def _may_be_empty(shape: Any) -> bool:
    return bool(fields := _fields(shape)) and not any(field.required for field in fields)


def _fields(shape: Any) -> tuple[FieldInfo, ...]:
    return msgspec.structs.fields(shape) if is_structure(shape) else ()
