"""Wiring over HTTP, the provider's side: an ASGI application made from declarations."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from urllib.parse import unquote

from hanse.kit.contract.answer import deliver, encoded, options_answer, problem_answer, send_stream, without_content
from hanse.kit.contract.asgi import ANSWER_AT_ONCE, SHOWN, Answer, Receive, Scope, Send
from hanse.kit.contract.body import read_body
from hanse.kit.contract.call import Caller
from hanse.kit.contract.content import check_json
from hanse.kit.contract.declare import Api, Page, Stream
from hanse.kit.contract.decode import decode_query
from hanse.kit.contract.exchange import Exchange
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.headers import call_of, fields_of
from hanse.kit.contract.listing import PAGE_SIZE, PARAMETERS
from hanse.kit.contract.rate import RateLimit
from hanse.kit.contract.routing import NoSuchMethod, Route, Router
from hanse.kit.problems import Problem

log = logging.getLogger("hanse.serve")

URI_LIMIT = 8192
"""Bytes of path and query; longer ones are refused with 414."""


def check_length(size: int) -> None:
    """A problem 414 for a request with too many bytes of path and query."""
    if size > URI_LIMIT:
        raise Problem(414, "URI too long", f"at most {URI_LIMIT} bytes of path and query are taken")


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
        except NoSuchMethod as other:
            answer = options_answer(other.allowed) if scope["method"] == "OPTIONS" else problem_answer(other)
        except Problem as problem:
            answer = problem_answer(problem)
        except Exception:
            log.exception("%s %s failed outside of every gate", scope["method"], scope["path"])
            answer = problem_answer(Problem(500, "Internal error", "the log of this server tells why"))
        at_once = scope.pop(ANSWER_AT_ONCE, None)  # it holds the scope: left there, only the collector would free both
        if isinstance(answer, Stream):
            if scope["method"] != "HEAD":
                await send_stream(answer, send, at_once)
                return
            answer = await without_content(answer)
        status, headers, body = answer
        if at_once is None or not at_once(status, headers, body):
            await deliver(answer, scope, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | Stream:
        raw_path = scope["raw_path"].decode("latin-1")
        check_length(len(raw_path) + len(scope["query_string"]))
        headers = fields_of(scope)
        caller = self._authenticate(scope, headers)
        if SHOWN in scope:
            scope.pop(SHOWN)()
        if self._limit is not None:
            self._limit.admit(caller)
        route, values = self.router.find(scope["method"], raw_path)
        if route.operation.returns is not Stream:
            check_json(headers)
        call, operation = call_of(caller, headers, border=self._border, base=route.base), route.operation
        path = unquote(raw_path) if "%" in raw_path else raw_path
        arguments: dict[str, Any] = dict(zip(operation.path_parameters, values, strict=True))
        query, part, point = scope["query_string"].decode("latin-1"), None, ""
        if operation.body is not Exchange:
            point = route.gate.check(route.api, operation, arguments, call, path)
            if operation.listing is not None:
                part, query = operation.listing.read(query, operation.query is not None)
            read = decode_query(query, operation.query, () if part is None else PARAMETERS)
            if operation.query is not None:
                arguments["query"] = read
        if operation.body_parameter is not None:
            arguments[operation.body_parameter] = await read_body(operation, scope, headers, receive)
        result = await route.gate.run(route.api, operation, route.function, arguments, call, path, point)
        if part is not None:
            items, following = part.of(result, self._page_size)
            result = Page(items, following) if following else items
        return encoded(result, route, scope, headers)
