"""What a verified access token says."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from hanse.kit.tokens import scope as scopes
from hanse.kit.values import Value

TYPE = "at+jwt"
"""The ``typ`` of an access token (RFC 9068, 2.1): no other JWT of the same key passes for one."""

LONGEST_LIFETIME = 86_400.0
"""Seconds that an access token may live; revocations are kept as long."""

RESERVED = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "client_id", "cnf"})
"""Claims with a meaning here (RFC 7519, 4.1; RFC 8693, 4.2 and 4.3; RFC 7800); all others are the issuer's own."""


class Claims(Value):
    """Who a token is for and what it allows. Times are Unix seconds."""

    subject: str
    client_id: str
    scope: tuple[str, ...]
    jti: str
    issued_at: float
    expires_at: float
    issuer: str
    audience: tuple[str, ...]
    not_before: float = 0.0
    bound_to: str | None = None
    own: Mapping[str, Any] = MappingProxyType({})

    def allows(self, word: str) -> bool:
        """Whether the scope contains this word."""
        return word in self.scope


class _Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    thumbprint: str = msgspec.field(name="x5t#S256")


class _Payload(msgspec.Struct, frozen=True):
    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    iat: float
    jti: str
    nbf: float = 0.0
    scope: str = ""
    client_id: str = ""
    cnf: _Confirmation | None = None


def read_claims(payload: bytes) -> Claims | None:
    """The claims of a JWT's payload; ``None`` if one is missing or not of its type (RFC 9068, 2.2).

    A token bound in a way that is not checked here (RFC 9449) counts as malformed: it must not pass as unbound.
    """
    try:
        everything = msgspec.json.decode(payload, type=dict[str, Any])
        known = msgspec.convert(everything, _Payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    words = scopes.words(known.scope)
    if words is None:
        return None
    return Claims(
        subject=known.sub,
        client_id=known.client_id,
        scope=words,
        jti=known.jti,
        issued_at=known.iat,
        expires_at=known.exp,
        not_before=known.nbf,
        issuer=known.iss,
        audience=(known.aud,) if isinstance(known.aud, str) else tuple(known.aud),
        bound_to=known.cnf.thumbprint if known.cnf else None,
        own=MappingProxyType({name: value for name, value in everything.items() if name not in RESERVED}),
    )
