"""Pages: a long list is answered in parts, each with a link to the next (ETSI GS MEC 009 V3.1.1, 6.20).

The marker in that link is opaque to clients and holds all that is needed to go on, so that no server keeps anything:
the keys of the last items that were answered. The next part begins behind the newest of them that is still there. So
each item that is there all the time comes exactly once, whatever comes, goes and changes between, also over a restart:
as long as no item changes places with another, which is for whoever gives the list (`Prepared.place`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from hanse.kit.problems import Problem, bad_request

T = TypeVar("T")

MARKER = "nextpage_opaque_marker"
"""The query parameter of the marker."""
REMEMBERED = 8
"""Keys in a marker: so many items at the end of a part may go before a client must begin again."""


def page_of(items: Sequence[T], key: Callable[[T], str], marker: str, size: int) -> tuple[list[T], str]:
    """The part of at most ``size`` items at ``marker`` (empty: the first), and the marker of the next or nothing."""
    begin = _begin(items, key, marker) if marker else 0
    end = begin + size
    part = list(items[begin:end])
    return part, _marker([key(item) for item in part[-REMEMBERED:]]) if end < len(items) else ""


def _begin(items: Sequence[Any], key: Callable[[Any], str], marker: str) -> int:
    positions = {key(item): position for position, item in enumerate(items)}
    for last in reversed(_keys(marker)):
        if last in positions:
            return positions[last] + 1
    raise _invalid("the list has changed too much since; begin again")


def _marker(keys: list[str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).decode().rstrip("=")


def _keys(marker: str) -> list[str]:
    try:
        raw = base64.urlsafe_b64decode(marker + "=" * (-len(marker) % 4))
        return msgspec.json.decode(raw, type=list[str])
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        raise _invalid("take it from a Link, as it is") from None


def _invalid(detail: str) -> Problem:
    return bad_request(f"Invalid query parameter {MARKER}", detail)
