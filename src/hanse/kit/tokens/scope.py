"""Scopes: a set of words, written with single spaces between them (RFC 6749, 3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def words(scope: str) -> tuple[str, ...] | None:
    """The words of a scope parameter, each once, in their order; ``None`` if it is not well-formed."""
    found = scope.split(" ") if scope else []
    return tuple(dict.fromkeys(found)) if well_formed(found) else None


def well_formed(scope: Iterable[str]) -> bool:
    """Whether each is a scope word: printable ASCII without space, quote and backslash."""
    return all(_WORD.fullmatch(word) for word in scope)
