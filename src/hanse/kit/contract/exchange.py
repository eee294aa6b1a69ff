"""A whole HTTP exchange, for the few operations that pass on what they do not understand."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace

from hanse.kit.contract.declare import Stream
from hanse.kit.contract.web_links import passed_links, retargeted


class Exchange(msgspec.Struct, frozen=True):
    """A request to be passed on as it is: its method, query and end-to-end headers, and its body as a stream."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]
    length: int | None = None


PASSED = frozenset(
    (
        "accept",
        "accept-encoding",
        "accept-language",
        "accept-ranges",
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-range",
        "content-type",
        "etag",
        "expires",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "last-modified",
        "prefer",
        "range",
        "retry-after",
        "vary",
    )
)
"""Headers that speak of the content alone. Any other could tell one side about the other, and is left out."""

_BETWEEN = re.compile(r"[/\\]")


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of an exchange that go on: those of the content, ``Location`` and links to pages if relative."""
    kept = {name: value for name, value in headers.items() if name in PASSED}
    location = headers.get("location", "")
    if location and "//" not in location:
        kept["location"] = location
    if links := passed_links(headers.get("link", "")):
        kept["link"] = links
    return kept


def leaves_base(rest: str) -> bool:
    """Whether a path, as it came, may lead out of the base below which it is: who reads it next may decode more."""
    return any(part.partition(";")[0] in (".", "..") for part in _BETWEEN.split(unquote(unquote(rest))))


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


async def abandon(stream: Stream) -> None:
    """Let go of an answer that nobody will read, so that its connection is not held."""
    with suppress(Exception):
        await anext(stream.chunks, b"")  # a generator that has not begun would not clean up
        await close(stream.chunks)


async def close(chunks: AsyncIterator[bytes]) -> None:
    """End a stream that was begun, wherever it stands."""
    ending = getattr(chunks, "aclose", None)
    if ending is not None:
        await ending()


def relocated(stream: Stream, change: Callable[[str], str]) -> Stream:
    """An answer whose ``Location`` and links, if it has any, are told in other words; empty ones are left out."""
    if not any(name in ("location", "link") for name, _ in stream.headers):
        return stream
    told = [(name, _elsewhere(name, value, change)) for name, value in stream.headers]
    return replace(stream, headers=tuple((name, value) for name, value in told if value))


def _elsewhere(name: str, value: str, change: Callable[[str], str]) -> str:
    if name == "location":
        return change(value)
    return retargeted(value, change) if name == "link" else value
