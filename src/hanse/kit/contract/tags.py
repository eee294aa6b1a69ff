"""Entity tags: what tells one representation of a resource from another (RFC 9110, 8.8.3)."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from hanse.kit.contract.declare import Tagged

S = TypeVar("S", bound=msgspec.Struct)


def tag_of(value: msgspec.Struct) -> str:
    """A strong tag: 32 hexadecimal digits that change whenever the representation does."""
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:32]


def tagged(value: S) -> Tagged[S]:
    """A representation with its tag."""
    return Tagged(value, tag_of(value))
