"""Answers as they go on the wire: what an operation returned, a problem, a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import msgspec

from hanse.kit.contract.asgi import ANSWER_AT_ONCE, Answer, AtOnce, Scope, Send
from hanse.kit.contract.content import fitting
from hanse.kit.contract.dates import today
from hanse.kit.contract.declare import Accepted, Created, Page, Prepared, Stream, Tagged
from hanse.kit.contract.exchange import Exchange, abandon, close
from hanse.kit.contract.routing import Route
from hanse.kit.problems import MARK, MEDIA_TYPE, Problem

SMALL_ANSWER = 64 * 1024
"""Bytes of an answer that is gathered rather than passed on piece by piece."""

PASSING = (429, 503)
"""Refusals that pass by themselves, and say when to come again (RFC 6585, 4; ETSI GS MEC 009 V3.1.1, annex E)."""
SOON = b"1"
"""Seconds after which to come again, where whoever refuses does not know better."""

_JSON = (b"content-type", b"application/json")
_READING = ("GET", "HEAD")
_encode = msgspec.json.Encoder().encode


def problem_answer(problem: Problem) -> Answer:
    """A problem as it goes on the wire."""
    headers = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in problem.headers.items()]
    body = problem.encode()
    headers += [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers.append((MARK.encode(), b"1"))
    if problem.status in PASSING and "Retry-After" not in problem.headers:
        headers.append((b"retry-after", SOON))
    return problem.status, headers, body


def options_answer(allowed: str) -> Answer:
    """What OPTIONS is told of a path: the methods that it takes (RFC 9110, 9.3.7)."""
    return 204, [(b"allow", ", ".join(sorted({*allowed.split(", "), "OPTIONS"})).encode())], b""


async def deliver(answer: Answer, scope: Scope, send: Send) -> None:
    """Send a whole answer, in one piece where the listener is ours; to HEAD without its content."""
    status, headers, body = answer
    at_once = scope.pop(ANSWER_AT_ONCE, None)
    if at_once is not None and at_once(status, headers, body):
        return
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"date", today())]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def encoded(result: Any, route: Route, scope: Scope, headers: dict[bytes, bytes]) -> Answer | Stream:
    """What an operation returned, as status, headers and JSON; streams are answered as they are."""
    if type(result) is Prepared:
        return route.operation.success, [_JSON, _length(result.json)], result.json
    if isinstance(result, Stream):
        return result if route.operation.body is Exchange else fitting(result, _with_range(scope, headers))
    extra: list[tuple[bytes, bytes]] = []
    status = route.operation.success
    if isinstance(result, Created):
        status = 201
        extra.append((b"location", _absolute(result.location, route, scope)))
        if result.tag:
            extra.append((b"etag", f'"{result.tag}"'.encode()))
        result = result.value
    elif isinstance(result, Accepted):
        if result.location:
            extra.append((b"location", _absolute(result.location, route, scope)))
        return 202, [*extra, (b"content-length", b"0")], b""
    elif isinstance(result, Tagged):
        tag = f'"{result.tag}"'.encode()
        extra.append((b"etag", tag))
        if scope["method"] in _READING and _names(headers.get(b"if-none-match", b""), tag):
            return 304, extra, b""
        result = result.value
    elif isinstance(result, Page):
        if result.next:
            here = _absolute(scope["raw_path"].decode("latin-1"), route, scope)
            extra.append((b"link", b"<" + here + b"?" + result.next.encode() + b'>; rel="next"'))
        result = result.items
    if result is None:
        return (204 if status == 200 else status), extra, b""
    body = _encode(result)
    return status, [*extra, _JSON, _length(body)], body


def _with_range(scope: Scope, headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """What was asked for; ``Range`` says something with GET alone (RFC 9110, 14.2)."""
    return headers if scope["method"] == "GET" else {name: headers[name] for name in headers if name != b"range"}


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(body)


def _names(wanted: bytes, tag: bytes) -> bool:
    """Whether an ``If-None-Match`` names the tag; the comparison is weak (RFC 9110, 13.1.2)."""
    return wanted.strip() == b"*" or tag in [part.strip().removeprefix(b"W/") for part in wanted.split(b",")]


def _absolute(location: str, route: Route, scope: Scope) -> bytes:
    location = quote(location, safe="%/:?#[]@!$&'()*+,;=~")  # a name within it cannot end the header
    if location.startswith(("http://", "https://")):
        return location.encode()
    host = next((value for name, value in scope["headers"] if name == b"host"), b"localhost")
    path = location if location.startswith(route.base) else route.base + location
    return str(scope.get("scheme", "https")).encode() + b"://" + bytes(host) + path.encode()


async def without_content(stream: Stream) -> Answer:
    """A streamed answer to HEAD: all that is told of the content, which is let go of unread."""
    await abandon(stream)
    return stream.status, _headers_of(stream), b""


def _headers_of(stream: Stream) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", stream.media_type.encode("latin-1"))]
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in stream.headers]
    if stream.length is not None:
        headers.append((b"content-length", str(stream.length).encode()))
    return headers


async def send_stream(stream: Stream, send: Send, at_once: AtOnce | None) -> None:
    """Pass a streamed answer on as it comes; a small one of known length goes in one piece.

    Nothing is read of it once its reader is gone, and whoever makes it is told by the end of the stream.
    """
    headers = _headers_of(stream)
    chunks = stream.chunks
    if at_once is not None and stream.length is not None and stream.length <= SMALL_ANSWER:
        body, fault = await _gathered_answer(stream)
        if fault is None and len(body) == stream.length and at_once(stream.status, headers, body):
            return
        chunks = _again(body, fault)
    headers.append((b"date", today()))
    await send({"type": "http.response.start", "status": stream.status, "headers": headers})
    try:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if at_once is not None and at_once.gone():
                return
    finally:
        await close(chunks)
    await send({"type": "http.response.body", "body": b""})


async def _gathered_answer(stream: Stream) -> tuple[bytes, Exception | None]:
    """A small body in one piece; what came of it and the reason, if it broke off."""
    parts: list[bytes] = []
    try:
        async for chunk in stream.chunks:
            parts.append(chunk)
    except Exception as fault:
        return b"".join(parts), fault
    return b"".join(parts), None


async def _again(body: bytes, fault: Exception | None) -> AsyncIterator[bytes]:
    if body:
        yield body
    if fault is not None:
        raise fault
