"""A whole HTTP exchange, for the few operations that pass on what they do not understand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Exchange:
    """A request to be passed on as it is: its method, query and end-to-end headers, and its body as a stream."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]
    length: int | None = None
    scope: Mapping[str, object] = field(default_factory=dict)


HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
        "authorization",
        "traceparent",
        "tracestate",
        "cookie",
        "set-cookie",
        "forwarded",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "date",
        "server",
    )
)
"""Headers that belong to one connection, or that would tell one side about the other (RFC 9110, 7.6.1)."""


async def whole(body: AsyncIterator[bytes], limit: int) -> bytes:
    """Read a stream to its end into memory; a problem 413 when it is longer than ``limit`` bytes."""
    from hanse.kit.problems import Problem

    parts, size = [], 0
    async for part in body:
        size += len(part)
        if size > limit:
            raise Problem(413, "Body too large", f"at most {limit} bytes are taken here")
        parts.append(part)
    return b"".join(parts)
