"""The outside of a token, looked at before its signature: three parts, ES256, one way only to write it."""

from __future__ import annotations

import base64
import re

import msgspec

from hanse.kit.problems import unauthorized
from hanse.kit.tokens.claims import TYPE

LONGEST = 8192
_PARTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)", re.ASCII)
# 64 bytes in base64url leave four bits of the last character unused; other values there would be other writings of
# the same signature, and one token could be sent in sixteen forms.
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{85}[AQgw]", re.ASCII)


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The header that `TokenIssuer` writes (RFC 7515, 4.1): no extension, no key of its own, no address of one."""

    alg: str
    typ: str = ""
    kid: str = ""


def read_header(token: str) -> Header:
    """The header of a compact JWS that may be an access token; its signature is not checked yet (401)."""
    parts = _PARTS.fullmatch(token) if len(token) <= LONGEST else None
    if parts is None:
        raise unauthorized(
            f"malformed: a token is three parts of base64url, up to {LONGEST} characters (RFC 7515, 7.1)"
        )
    header = _decode(parts[1])
    if header.alg != "ES256":
        raise unauthorized(f"algorithm {header.alg[:16]}: only ES256 is taken (RFC 8725, 3.1)")
    if header.typ.lower().removeprefix("application/") != TYPE:
        raise unauthorized(f"not an access token: its type must be {TYPE} (RFC 9068, 4)")
    if not _SIGNATURE.fullmatch(parts[3]):
        raise unauthorized("wrong signature: ES256 signatures have 64 bytes")
    return header


def _decode(part: str) -> Header:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=Header)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise unauthorized("malformed: the header must be a JSON object of alg, typ and kid (RFC 7515, 4.1)") from error
