"""Wiring over HTTP, the provider's side: an ASGI application made from declarations."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote, unquote

import msgspec

from hanse.kit.contract.call import DEFAULT_PATIENCE, UNTRACED, Call, Caller, new_span, new_trace
from hanse.kit.contract.content import check_json, fitting
from hanse.kit.contract.declare import Accepted, Api, Created, Page, Prepared, Stream, Tagged
from hanse.kit.contract.decode import decode_body, decode_query
from hanse.kit.contract.exchange import Exchange, whole
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.listing import PAGE_SIZE
from hanse.kit.contract.rate import RateLimit
from hanse.kit.contract.routing import Route, Router
from hanse.kit.problems import MARK, MEDIA_TYPE, Problem

log = logging.getLogger("hanse.serve")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]

AtOnce = Callable[[int, list[tuple[bytes, bytes]], bytes], bool]
SMALL_ANSWER = 64 * 1024
"""Bytes of an answer that is gathered rather than passed on piece by piece."""
ANSWER_AT_ONCE = "hanse.answer"
"""In the scope of our own listener: a function that writes a whole answer, or returns false if it must be sent."""

BODY_LIMIT = 1024 * 1024
"""Bytes of a JSON body; larger ones are refused with 413."""
BODY_PATIENCE = 10.0
"""Seconds in which a JSON body must have arrived; slower ones are refused with 408."""
STALL_PATIENCE = 30.0
"""Seconds in which the next bytes of a streamed body must arrive; one that stalls is refused with 408."""
LONGEST_PATIENCE = 600.0
"""Seconds to which a caller's own patience is bounded."""
URI_LIMIT = 8192
"""Bytes of path and query; longer ones are refused with 414."""

PEER = b"hanse-peer"
"""Header: the far end of the connection that the caller serves by this call, ``ADDRESS:PORT`` as the caller sees it."""

_CLOSE = {"Connection": "close"}  # the rest of a body that is not read would be taken for the next request's time
_JSON = (b"content-type", b"application/json")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_encode = msgspec.json.Encoder().encode


class Authenticator(Protocol):
    """Tells who calls, from what the connection and the headers show; a problem 401 if nobody it knows."""

    def __call__(self, scope: Scope, headers: dict[bytes, bytes]) -> Caller: ...


class ApiServer:
    """Serves the APIs of one or several elements. ``border`` servers take the partner's trace only as a link.

    ``page_size``: items of a list in one answer; ``limit``: how often one caller may call.
    """

    def __init__(
        self,
        authenticate: Authenticator,
        *,
        border: bool = False,
        page_size: int = PAGE_SIZE,
        limit: RateLimit | None = None,
    ) -> None:
        self.router = Router()
        self._page_size = page_size
        self._limit = limit
        self._authenticate = authenticate
        self._border = border
        self._raw: dict[str, Callable[[Scope, Receive, Send], Awaitable[None]]] = {}

    def mount(self, provider: Api, gate: Gate, apis: Sequence[type[Api]], prefix: str = "") -> None:
        """Serve ``apis`` of ``provider`` below all their bases, without the operations that nobody may call there."""
        for api in apis:
            offered = {n: o for n, o in api.operations.items() if gate.guard.users(api, gate.role, n)}
            for base in api.api_bases:
                for name, operation in offered.items():
                    self.router.add(Route(api, operation, getattr(provider, name), gate, prefix + base))

    def mount_raw(self, path: str, application: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        """Serve an ASGI application at one exact path (a token endpoint)."""
        self._raw[path] = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return
        raw = self._raw.get(scope["path"])
        if raw is not None:
            await raw(scope, receive, send)
            return
        try:
            answer = await self._answer(scope, receive)
        except Problem as problem:
            answer = problem_answer(problem)
        except Exception:
            log.exception("%s %s failed outside of every gate", scope["method"], scope["path"])
            answer = problem_answer(Problem(500, "Internal error", "the log of this server tells why"))
        at_once = scope.pop(ANSWER_AT_ONCE, None)  # it holds the scope: left there, only the collector would free both
        if isinstance(answer, Stream):
            await _send_stream(answer, send, at_once)
            return
        status, headers, body = answer
        if at_once is not None and at_once(status, headers, body):
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | Stream:
        raw_path = scope["raw_path"].decode("latin-1")
        if len(raw_path) + len(scope["query_string"]) > URI_LIMIT:
            raise Problem(414, "URI too long", f"at most {URI_LIMIT} bytes of path and query are taken")
        headers = dict(scope["headers"])
        caller = self._authenticate(scope, headers)
        if self._limit is not None:
            self._limit.admit(caller)
        route, values = self.router.find(scope["method"], raw_path)
        if route.operation.returns is not Stream:
            check_json(headers)
        call, operation = self._call(caller, headers), route.operation
        path = unquote(raw_path) if "%" in raw_path else raw_path
        arguments: dict[str, Any] = dict(zip(operation.path_parameters, values, strict=True))
        query, part, point = scope["query_string"].decode("latin-1"), None, ""
        if operation.body is not Exchange:
            point = route.gate.check(route.api, operation, arguments, call, path)
            if operation.listing is not None:
                part, query = operation.listing.read(query, operation.query is not None)
            read = decode_query(query, operation.query)
            if operation.query is not None:
                arguments["query"] = read
        if operation.body_parameter is not None:
            arguments[operation.body_parameter] = await _body(route, scope, headers, receive)
        result = await route.gate.run(route.api, operation, route.function, arguments, call, path, point)
        if part is not None:
            items, following = part.of(result, self._page_size)
            result = Page(items, following) if following else items
        return _encoded(result, route, scope, headers)

    def _call(self, caller: Caller, headers: dict[bytes, bytes]) -> Call:
        trace, parent = _traceparent(headers.get(b"traceparent", b""))
        link = ""
        if self._border:
            link, trace, parent = trace, UNTRACED if trace == UNTRACED else "", ""
        return Call(
            caller=caller,
            trace=trace or new_trace(),
            span=new_span() if not parent or self._border else parent,
            link=link,
            deadline=time.time() + _patience(headers),
            idempotency_key=headers.get(b"idempotency-key", b"").decode("latin-1")[:200],
            if_match=headers.get(b"if-match", b"").decode("latin-1"),
            tenant=headers.get(b"hanse-tenant", b"").decode("utf-8", "replace") if caller.trusted else caller.subject,
            peer=headers.get(PEER, b"").decode("latin-1")[:100],
        )


def problem_answer(problem: Problem) -> Answer:
    """A problem as it goes on the wire."""
    headers = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in problem.headers.items()]
    body = problem.encode()
    headers += [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers.append((MARK.encode(), b"1"))
    return problem.status, headers, body


def body_of(receive: Receive) -> AsyncIterator[bytes]:
    """The request's body as a stream; ends early with a problem, 400 if the client goes away, 408 if it stalls.

    The clock runs only while bytes are waited for: a reader that takes its time is no stall.
    """

    async def chunks() -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await _next_of(receive)
            if message["type"] == "http.disconnect":
                raise Problem(400, "Body incomplete", "the client went away before the end of the body")
            more = message.get("more_body", False)
            if message.get("body"):
                yield bytes(message["body"])

    return chunks()


async def _next_of(receive: Receive) -> MutableMapping[str, Any]:
    try:
        async with asyncio.timeout(STALL_PATIENCE):
            return await receive()
    except TimeoutError:
        raise Problem(408, "Body stalled", f"send the next bytes within {STALL_PATIENCE:g} s", _CLOSE) from None


async def _body(route: Route, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Any:
    operation = route.operation
    length = int(headers[b"content-length"]) if headers.get(b"content-length", b"").isdigit() else None
    if operation.body is Exchange:
        texts = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        return Exchange(scope["method"], query, texts, body_of(receive), length)
    media = headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("latin-1")
    if media not in operation.consumes.split(" ") and (media or operation.body is Stream):
        raise Problem(415, "Content-Type not supported", f"send {' or '.join(operation.consumes.split(' '))}")
    if operation.body is Stream:
        return Stream(body_of(receive), media, length)
    if length is not None and length > BODY_LIMIT:
        raise Problem(413, "Body too large", f"at most {BODY_LIMIT} bytes are taken here", _CLOSE)
    return decode_body(await gathered(receive), operation.body)


async def gathered(receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """A small body in one piece; a problem 413 if it has more than ``limit`` bytes, 408 if it comes too slowly."""
    try:
        return await asyncio.wait_for(whole(body_of(receive), limit), BODY_PATIENCE)
    except TimeoutError:
        raise Problem(408, "Body too slow", f"send the body within {BODY_PATIENCE:.0f} s", _CLOSE) from None
    except Problem as problem:
        raise Problem(problem.status, problem.title, problem.detail, _CLOSE) from None


def _encoded(result: Any, route: Route, scope: Scope, headers: dict[bytes, bytes]) -> Answer | Stream:
    if type(result) is Prepared:
        return route.operation.success, [_JSON, _length(result.json)], result.json
    if isinstance(result, Stream):
        return result if route.operation.body is Exchange else fitting(result, headers)
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
        if scope["method"] == "GET" and _names(headers.get(b"if-none-match", b""), tag):
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


async def _send_stream(stream: Stream, send: Send, at_once: AtOnce | None) -> None:
    headers = [(b"content-type", stream.media_type.encode("latin-1"))]
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in stream.headers]
    if stream.length is not None:
        headers.append((b"content-length", str(stream.length).encode()))
    chunks = stream.chunks
    if at_once is not None and stream.length is not None and stream.length <= SMALL_ANSWER:
        body, fault = await _gathered_answer(stream)
        if fault is None and len(body) == stream.length and at_once(stream.status, headers, body):
            return
        chunks = _again(body, fault)
    await send({"type": "http.response.start", "status": stream.status, "headers": headers})
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
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


def _traceparent(value: bytes) -> tuple[str, str]:
    found = _TRACEPARENT.fullmatch(value) if value else None
    return (found[1].decode(), found[2].decode()) if found else ("", "")


def _patience(headers: dict[bytes, bytes]) -> float:
    told = headers.get(b"hanse-patience")
    if told is None:
        return DEFAULT_PATIENCE
    try:
        wanted = float(told)
    except ValueError:
        return DEFAULT_PATIENCE
    return min(wanted, LONGEST_PATIENCE) if wanted >= 0 else DEFAULT_PATIENCE
