"""Wiring over HTTP, the consumer's side: an object with the methods of an API, made from its declaration."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast, get_args

import msgspec

from hanse.kit.contract.call import UNTRACED, Caller, next_call
from hanse.kit.contract.declare import Accepted, Api, Operation, Stream, payload_type
from hanse.kit.contract.direct import filled, parameter_names
from hanse.kit.contract.exchange import Exchange, passed_on, whole
from hanse.kit.contract.gate import method_of, status_of
from hanse.kit.contract.listing import WHOLE
from hanse.kit.contract.observe import Message, Observer
from hanse.kit.contract.outgoing import call_headers, encode_query, fresh_link, quoted
from hanse.kit.contract.reply import Reply, decoded, held, next_part, refusal, stream_of, wrapped
from hanse.kit.problems import MARK, Problem

A = TypeVar("A", bound=Api)
MOST_PARTS = 1000
"""Pages of one list; a provider that has more is cut off."""
SMALL_BODY = 64 * 1024
"""Bytes of a body that is passed on from memory rather than as a stream."""

_encode = msgspec.json.Encoder().encode


class Transport(Protocol):
    """Carries a request to the provider: over a socket, or in memory in tests.

    Raises a problem 503 when the provider cannot be reached and 504 when it does not answer in time.
    """

    async def send(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | AsyncIterator[bytes] | None,
        patience: float,
    ) -> Reply: ...


@dataclass(frozen=True)
class Peer:
    """The other end of a client: its name in records, how it is reached, and how the caller shows who it is.

    ``authorize`` gives headers to add, asked anew when ``renew`` is true because the last ones were refused. With
    ``border`` the trace stays at home and a fresh link goes instead.
    """

    name: str
    transport: Transport
    caller: Caller
    reference_point: str
    observer: Observer
    authorize: Callable[[bool], Awaitable[dict[str, str]]] | None = None
    prefix: str = ""
    border: bool = False


def client(api: type[A], peer: Peer) -> A:
    """``peer`` as a provider of ``api``."""
    methods = {name: _method(api, operation, peer) for name, operation in api.operations.items()}
    return cast(A, type(f"Remote{api.__name__}", (), methods)())


def _method(api: type[Api], operation: Operation, peer: Peer) -> Callable[..., Awaitable[Any]]:
    names = parameter_names(operation)

    async def method(_self: object, *values: Any, **named: Any) -> Any:
        arguments = dict(zip(names, values, strict=False)) | named
        return await _Request(api, operation, peer, arguments).run()

    method.__name__ = operation.name
    return method


class _Request:
    def __init__(self, api: type[Api], operation: Operation, peer: Peer, arguments: dict[str, Any]) -> None:
        self.operation, self.peer, self.arguments = operation, peer, arguments
        path = {name: quoted(operation, name, str(arguments[name])) for name in operation.path_parameters}
        self.path = peer.prefix + api.api_bases[0] + filled(operation.path, path)
        self.call = next_call(peer.caller)
        self.link = fresh_link(self.call) if peer.border else ""
        self.gathered: bytes | None = None
        self.next_part = ""

    async def run(self) -> Any:
        """Send, read, and record what became of it."""
        began = time.time()
        status, problem = self.operation.success, ""
        try:
            await self._gather()
            reply = await self._sent(renew=False)
            if reply.status == 401 and self.peer.authorize is not None and self._may_repeat(reply):
                reply.close()
                reply = await self._sent(renew=True)
            result = await self._result(reply)
            if self.operation.listing is not None:
                result = await self._all_parts(result, reply)
            status = status_of(result, self.operation)
            return result
        except Problem as refused:
            status, problem = refused.status, refused.title
            raise
        except asyncio.CancelledError:
            status, problem = 499, "The caller went away"
            raise
        except Exception:
            status, problem = 500, "Internal error"
            raise
        finally:
            self._record(status, problem, began)

    async def _all_parts(self, items: list[Any], reply: Reply) -> list[Any]:
        """A list whole, however many pages the provider makes of it (ETSI GS MEC 009, 6.20)."""
        for _ in range(MOST_PARTS):
            self.next_part = next_part(reply)
            if not self.next_part:
                return items
            reply = await self._sent(renew=False)
            items = [*items, *await self._result(reply)]
        raise Problem(502, f"{self.peer.name} answers without end", f"more than {MOST_PARTS} pages")

    def _may_repeat(self, reply: Reply) -> bool:
        """Whether the request can be sent again with other credentials: its body is still there."""
        if self.operation.body is Exchange:
            return MARK in reply.headers and self.gathered is not None
        return self.operation.body is not Stream

    async def _gather(self) -> None:
        """Hold a small body in memory: one write instead of a stream, and it can be sent again."""
        exchange = self.arguments.get(self.operation.body_parameter or "")
        if isinstance(exchange, Exchange):
            empty = exchange.length is None and "transfer-encoding" not in exchange.headers
            if empty:
                self.gathered = b""
            elif exchange.length is not None and exchange.length <= SMALL_BODY:
                self.gathered = await whole(exchange.body, SMALL_BODY)

    async def _sent(self, renew: bool) -> Reply:
        headers = call_headers(self.call, self.link)
        if self.operation.returns is Stream and self.operation.body is not Exchange:
            headers["accept"] = "*/*"
        exchange = self.arguments.get(self.operation.body_parameter or "")
        if isinstance(exchange, Exchange):
            headers |= passed_on(exchange.headers)
        if self.peer.authorize is not None:
            headers |= await self.peer.authorize(renew)
        method, query, body = self._content(exchange, headers)
        target = self.path + ("?" + query if query else "")
        return await self.peer.transport.send(method, target, headers, body, self.call.remaining())

    def _content(self, body: Any, headers: dict[str, str]) -> tuple[str, str, bytes | AsyncIterator[bytes] | None]:
        if isinstance(body, Exchange):
            if self.gathered is not None:
                return body.method, body.query, self.gathered or None
            if body.length is not None:
                headers["content-length"] = str(body.length)
            return body.method, body.query, body.body
        query = self.next_part or encode_query(self.arguments.get("query"))
        if self.operation.listing is not None and not self.next_part:
            query = f"{query}&{WHOLE}" if query else WHOLE
        if body is None:
            return self.operation.method, query, None
        if isinstance(body, Stream):
            headers["content-type"] = body.media_type
            if body.length is not None:
                headers["content-length"] = str(body.length)
            return self.operation.method, query, body.chunks
        headers["content-type"] = self.operation.consumes.split(" ")[0]
        return self.operation.method, query, _encode(body)

    async def _result(self, reply: Reply) -> Any:
        operation = self.operation
        if operation.returns is Stream and (200 <= reply.status < 300 or self._is_content(reply)):
            return stream_of(reply)
        raw = await held(reply, self.peer.name)
        if not 200 <= reply.status < 300:
            raise refusal(reply.status, raw, self.peer.name, self.peer.border)
        if operation.returns is Accepted:
            return Accepted(reply.headers.get("location", ""))
        shape = payload_type(operation.returns)
        if shape in (None, type(None)) or (reply.status == 204 and type(None) in get_args(shape)):
            return None
        return wrapped(decoded(raw, shape, self.peer.name), operation, reply)

    def _is_content(self, reply: Reply) -> bool:
        """Whether an answer that is no success came from behind the provider, for whoever asked to pass it on."""
        if self.operation.body is not Exchange or MARK in reply.headers:
            return False
        return not self.peer.border or reply.status < 500

    def _record(self, status: int, problem: str, began: float) -> None:
        call, operation = self.call, self.operation
        if call.trace == UNTRACED:
            return
        self.peer.observer.saw(
            Message(
                operator=self.peer.caller.operator,
                trace=call.trace,
                span=call.span,
                parent=call.parent,
                link=self.link,
                reference_point=self.peer.reference_point,
                sender=self.peer.caller.name,
                receiver=self.peer.name,
                operation=operation.name,
                method=method_of(operation, self.arguments),
                path=self.path,
                status=status,
                problem=problem,
                began=began,
                ended=time.time(),
                side="sender",
            )
        )
