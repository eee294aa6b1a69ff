"""The header fields of a request, and the call that it makes, as they tell it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from hanse.kit.contract.asgi import Scope
from hanse.kit.contract.call import DEFAULT_PATIENCE, UNTRACED, Call, Caller, new_span, new_trace
from hanse.kit.problems import bad_request

LONGEST_PATIENCE = 600.0
"""Seconds to which a caller's own patience is bounded."""

PEER = b"hanse-peer"
"""Header: the far end of the connection that the caller serves by this call, ``ADDRESS:PORT`` as the caller sees it."""

_TRACE, _PATIENCE, _TENANT = b"traceparent", b"hanse-patience", b"hanse-tenant"
_KEY, _MATCH = b"idempotency-key", b"if-match"
_TOLD = frozenset((_TRACE, _PATIENCE, _TENANT, _KEY, _MATCH, PEER))
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_ONCE = frozenset((b"host", b"authorization", b"content-type", b"idempotency-key"))
"""Fields of which two would say two things; lists go on in the next field of their name (RFC 9110, 5.3)."""


def fields_of(scope: Scope) -> dict[bytes, bytes]:
    """The fields by their names; a problem 400 for two of one that is there once, or for no Host (RFC 9112, 3.2)."""
    raw = scope["headers"]
    found = dict(raw)
    if len(found) != len(raw):
        found = _joined(raw)
    if b"host" not in found and scope.get("http_version") == "1.1":
        raise bad_request("Missing header Host", "it tells which server is meant")
    return found


def _joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in raw:
        if name in found and name in _ONCE:
            raise bad_request(f"Header {name.decode('latin-1').title()} given several times", "give it once")
        found[name] = found[name] + b", " + value if name in found else value
    return found


def call_of(caller: Caller, headers: dict[bytes, bytes], *, border: bool = False, base: str = "") -> Call:
    """The call of an authenticated caller; at the ``border`` a partner's trace is taken as a link only."""
    own = "" if caller.trusted else caller.subject
    if _TOLD.isdisjoint(headers):  # nearly all calls of applications
        return Call(caller, new_trace(), new_span(), deadline=time.time() + DEFAULT_PATIENCE, tenant=own, base=base)
    trace, parent = _traceparent(headers.get(_TRACE, b""))
    link = ""
    if border:
        link, trace, parent = trace, UNTRACED if trace == UNTRACED else "", ""
    return Call(
        caller=caller,
        trace=trace or new_trace(),
        span=parent or new_span(),
        link=link,
        deadline=time.time() + _patience(headers),
        idempotency_key=headers.get(_KEY, b"").decode("latin-1")[:200],
        if_match=headers.get(_MATCH, b"").decode("latin-1"),
        tenant=headers.get(_TENANT, b"").decode("utf-8", "replace") if caller.trusted else own,
        peer=headers.get(PEER, b"").decode("latin-1")[:100],
        base=base,
    )


def _traceparent(value: bytes) -> tuple[str, str]:
    found = _TRACEPARENT.fullmatch(value) if value else None
    return (found[1].decode(), found[2].decode()) if found else ("", "")


def _patience(headers: dict[bytes, bytes]) -> float:
    told = headers.get(_PATIENCE)
    if told is None:
        return DEFAULT_PATIENCE
    try:
        wanted = float(told)
    except ValueError:
        return DEFAULT_PATIENCE
    return min(wanted, LONGEST_PATIENCE) if wanted >= 0 else DEFAULT_PATIENCE
