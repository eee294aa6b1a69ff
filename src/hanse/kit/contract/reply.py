"""Reading what a provider answered over HTTP: nothing in it is taken at its word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec

from hanse.kit.contract.declare import Created, Operation, Page, Stream, Tagged, kind_of
from hanse.kit.contract.exchange import passed_on
from hanse.kit.problems import Problem

ANSWER_LIMIT = 64 * 1024 * 1024
"""Bytes of an answer that is held in memory; a partner that sends more is cut off."""


class Reply(msgspec.Struct):
    """What a transport brings back: status, headers in lower case, and the body as a stream."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    close: Callable[[], None] = msgspec.field(default=lambda: None)


async def held(reply: Reply, peer: str) -> bytes:
    """The body of an answer, whole; 502 if it has more than `ANSWER_LIMIT` bytes."""
    parts, size = [], 0
    async for part in reply.chunks:
        size += len(part)
        if size > ANSWER_LIMIT:
            reply.close()
            raise Problem(502, f"{peer} answers without end", f"more than {ANSWER_LIMIT} bytes")
        parts.append(part)
    return b"".join(parts)


def refusal(status: int, raw: bytes, peer: str, border: bool) -> Problem:
    """The problem of an answer that is no success; across a border, a partner's failure is never ours."""
    if not 400 <= status < 600:
        return Problem(502, f"{peer} answered nonsense", f"status {status} is none of this API")
    if border and status >= 500 and status not in (502, 503, 504):
        return Problem(502, f"{peer} failed", f"it answered {status}; ask its operator")
    return Problem.decode(status, raw)


def decoded(raw: bytes, shape: Any, peer: str) -> Any:
    """What stands in a body; 502 if that is none of what was declared."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(502, f"{peer} answered nonsense", str(error)) from None


def wrapped(value: Any, operation: Operation, reply: Reply) -> Any:
    """A value with what the headers of its answer say of it, as the operation returns it."""
    origin = kind_of(operation.returns)
    if origin is Created:
        return Created(value, reply.headers.get("location", ""), reply.headers.get("etag", "").strip('"'))
    if origin is Tagged:
        return Tagged(value, reply.headers.get("etag", "").strip('"'))
    if origin is Page:
        return Page(value, next_part(reply))
    return value


def next_part(reply: Reply) -> str:
    """The query of the next part of a list, or nothing."""
    return reply.headers.get("link", "").partition("?")[2].partition(">")[0]


def stream_of(reply: Reply) -> Stream:
    """An answer that is passed on as it comes."""
    length = reply.headers.get("content-length", "")
    extra = tuple((name, value) for name, value in passed_on(reply.headers).items() if name != "content-type")
    media = reply.headers.get("content-type", "application/octet-stream")
    return Stream(reply.chunks, media, int(length) if length.isdigit() else None, reply.status, extra)
