"""Cross-origin: which web pages may read what a server answers (the Fetch standard of WHATWG, "CORS protocol").

It stands before an application, and only where somebody asked for it: elsewhere no request pays for it, and no page of
another origin reads a word.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from hanse.kit.contract.answer import deliver, problem_answer
from hanse.kit.contract.asgi import ANSWER_AT_ONCE, AtOnce, Receive, Scope, Send
from hanse.kit.problems import Problem, bad_request, forbidden

ANY = "*"
"""Instead of an origin: every page, whoever wrote it."""
METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
READABLE: Final = b"Location, ETag, Link, Retry-After, Allow, WWW-Authenticate"
"""Fields that scripts may read beside those that they always may."""
PREFLIGHT_SECONDS: Final = b"600"

_ORIGIN: Final = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
_FIELD_NAMES: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z, \t-]{1,1000}")
_ASKED: Final = b"access-control-request-method"

Lines = list[tuple[bytes, bytes]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def check_origin(origin: str) -> str:
    """An origin as browsers write it: ``http://localhost:3000``, or ``*``; a problem 400 for what none would send."""
    if origin != ANY and not _ORIGIN.fullmatch(origin):
        detail = "scheme, host and port as browsers send them, as in http://localhost:3000, in lower case; or *"
        raise bad_request(f"Invalid origin {origin}", detail)
    return origin


class CrossOrigin:
    """Lets pages of some origins read the answers of ``application``, and tells browsers so beforehand.

    A preflight carries no token and is answered without one. To a page of any other origin nothing is told that would
    let it read; its preflights are refused with 403, which says what would let it in.
    """

    def __init__(self, application: Application, origins: Iterable[str]) -> None:
        self._application = application
        self._origins = frozenset(check_origin(origin) for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"")
        allowed = self._allowed(origin)
        if origin and scope["method"] == "OPTIONS" and _ASKED in headers:
            answer = (204, allowed + _preflight(headers), b"") if allowed else problem_answer(_strange(origin))
            await deliver(answer, scope, send)
            return
        extra: Lines = [*allowed, (b"vary", b"Origin")]
        if allowed:
            extra.append((b"access-control-expose-headers", READABLE))
        at_once = scope.get(ANSWER_AT_ONCE)
        if at_once is not None:
            scope[ANSWER_AT_ONCE] = _WithLines(at_once, extra)
        await self._application(scope, receive, _adding(send, extra))

    def _allowed(self, origin: bytes) -> Lines:
        if ANY in self._origins:
            return [(b"access-control-allow-origin", b"*")]
        named = origin.decode("latin-1") in self._origins
        return [(b"access-control-allow-origin", origin)] if named else []


class _WithLines:
    """An ``AtOnce`` whose answers have further header fields."""

    __slots__ = ("_at_once", "_extra")

    def __init__(self, at_once: AtOnce, extra: Lines) -> None:
        self._at_once, self._extra = at_once, extra

    def gone(self) -> bool:
        return self._at_once.gone()

    def __call__(self, status: int, headers: Lines, body: bytes, /) -> bool:
        return self._at_once(status, headers + self._extra, body)


def _adding(send: Send, extra: Lines) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return sending


def _preflight(headers: dict[bytes, bytes]) -> Lines:
    """What a page may send: any method, and the fields that it asked for; a page that may speak may say all."""
    lines = [
        (b"access-control-allow-methods", METHODS),
        (b"access-control-max-age", PREFLIGHT_SECONDS),
        (b"allow", METHODS),
        (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]
    wanted = headers.get(b"access-control-request-headers", b"")
    if _FIELD_NAMES.fullmatch(wanted):
        lines.append((b"access-control-allow-headers", wanted))
    if headers.get(b"access-control-request-private-network") == b"true":  # from a page elsewhere to this machine
        lines.append((b"access-control-allow-private-network", b"true"))
    return lines


def _strange(origin: bytes) -> Problem:
    shown = origin[:200].decode("latin-1")
    return forbidden("Origin not allowed", f"pages of {shown} may not call: allow their origin at the server's start")
