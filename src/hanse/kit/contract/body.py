"""Reading a request's body, with bounds on its size and on the time that it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from hanse.kit.contract.asgi import Receive, Scope
from hanse.kit.contract.declare import Operation, Stream
from hanse.kit.contract.decode import decode_body
from hanse.kit.contract.exchange import Exchange, whole
from hanse.kit.problems import Problem

BODY_LIMIT = 1024 * 1024
"""Bytes of a JSON body, unless an operation takes more; larger ones are refused with 413."""
BODY_PATIENCE = 10.0
"""Seconds in which a JSON body must have arrived; slower ones are refused with 408."""
STALL_PATIENCE = 30.0
"""Seconds in which the next bytes of a streamed body must arrive; one that stalls is refused with 408."""
TRICKLE_PATIENCE, SLOWEST = 60.0, 100
"""Seconds that a streamed body may be waited for, and bytes that it must bring for each further one; else 408."""

_CLOSE = {"Connection": "close"}  # the rest of a body that is not read would be taken for the next request's time


def body_of(receive: Receive) -> AsyncIterator[bytes]:
    """The request's body as a stream; ends early with a problem: 400 if the client goes away, 408 if it stalls.

    One that only trickles in ends so too. The clock runs only while bytes are waited for: a reader that takes its time
    is no stall.
    """

    async def chunks() -> AsyncIterator[bytes]:
        more, waited, came = True, 0.0, 0
        while more:
            began = time.monotonic()
            message = await _next_of(receive)
            waited += time.monotonic() - began
            if message["type"] == "http.disconnect":
                raise Problem(400, "Body incomplete", "the client went away before the end of the body")
            more = message.get("more_body", False)
            if message.get("body"):
                came += len(message["body"])
                yield bytes(message["body"])
            if more and waited > TRICKLE_PATIENCE + came / SLOWEST:
                raise Problem(408, "Body too slow", f"send at least {SLOWEST} bytes a second", _CLOSE)

    return chunks()


async def _next_of(receive: Receive) -> MutableMapping[str, Any]:
    try:
        async with asyncio.timeout(STALL_PATIENCE):
            return await receive()
    except TimeoutError:
        raise Problem(408, "Body stalled", f"send the next bytes within {STALL_PATIENCE:g} s", _CLOSE) from None


async def gathered(receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """A small body in one piece; a problem 413 if it has more than ``limit`` bytes, 408 if it comes too slowly."""
    try:
        return await asyncio.wait_for(whole(body_of(receive), limit), BODY_PATIENCE)
    except TimeoutError:
        raise Problem(408, "Body too slow", f"send the body within {BODY_PATIENCE:.0f} s", _CLOSE) from None
    except Problem as problem:
        raise Problem(problem.status, problem.title, problem.detail, _CLOSE) from None


def _check_coding(headers: dict[bytes, bytes]) -> None:
    """A problem 415 for a body that is compressed: read as it is, it would seem to be no JSON (RFC 9110, 8.4)."""
    if headers.get(b"content-encoding", b"").strip().lower() not in (b"", b"identity"):
        told = {"Accept-Encoding": "identity"}
        raise Problem(415, "Content-Encoding not supported", "send the body without one", told)


async def read_body(operation: Operation, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Any:
    """The body as an operation takes it: decoded, as a stream, or the whole exchange; problems 400, 408, 413, 415."""
    length = int(headers[b"content-length"]) if headers.get(b"content-length", b"").isdigit() else None
    if operation.body is Exchange:
        texts = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        return Exchange(scope["method"], query, texts, body_of(receive), length)
    _check_coding(headers)
    media = headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("latin-1")
    if media not in operation.consumes.split(" ") and (media or operation.body is Stream):
        raise Problem(415, "Content-Type not supported", f"send {' or '.join(operation.consumes.split(' '))}")
    if operation.body is Stream:
        return Stream(body_of(receive), media, length)
    limit = operation.largest or BODY_LIMIT
    if length is not None and length > limit:
        raise Problem(413, "Body too large", f"at most {limit} bytes are taken here", _CLOSE)
    return decode_body(await gathered(receive, limit), operation.body)
