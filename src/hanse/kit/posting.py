"""Posting: small JSON bodies to many receivers, at a fraction of what a general HTTP client costs for each.

HTTP/1.1 over connections that are kept. Of an answer only the status counts: its body is read and dropped.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import httptools
from yarl import URL

IDLE_PATIENCE = 15.0
"""Seconds that a connection is kept without use."""
MOST_IDLE = 500
"""Connections that are kept without use, to all receivers together."""
MOST_ANSWER = 64 * 1024
"""Bytes of an answer after which its connection is closed: it says nothing that we want to know."""

Origin = tuple[str, str, int]


class Unwanted(ConnectionError):
    """The host's name leads to where nothing may be posted."""


class Unanswered(ConnectionError):
    """The connection ended, or what came was no HTTP, before there was an answer."""


@dataclass(frozen=True)
class Target:
    """A URL as a request needs it: where to connect, and the head up to the body's length."""

    origin: Origin
    head: bytes


@lru_cache(maxsize=4096)
def target_of(url: str) -> Target:
    """``ValueError`` for what is no absolute http or https URL."""
    parts = URL(url)
    if parts.scheme not in ("http", "https") or not parts.raw_host or not parts.port:
        raise ValueError(f"{url} is no http or https URL with a host")
    host = f"[{parts.raw_host}]" if ":" in parts.raw_host else parts.raw_host
    head = f"POST {parts.raw_path_qs} HTTP/1.1\r\nhost: {host}:{parts.port}\r\ncontent-type: application/json\r\n"
    return Target((parts.scheme, parts.raw_host, parts.port), f"{head}accept: */*\r\ncontent-length: ".encode())


class Poster:
    """Keeps connections by origin; any number of posts may be under way, each on a connection of its own."""

    def __init__(
        self,
        unwanted: Callable[[str, int], bool] = lambda _address, _port: False,
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        """``unwanted`` says of the address and port that a connection leads to whether nothing may be posted there.

        ``trust`` makes the TLS context by which https receivers are judged; it may read files. Public authorities, if
        nothing is said.
        """
        self._unwanted = unwanted
        self._trust = trust
        self._idle: dict[Origin, list[_Connection]] = {}
        self._count = 0
        self._tls: ssl.SSLContext | None = None

    async def post(self, url: str, body: bytes) -> int:
        """The status of the answer; ``ValueError`` for a bad URL, ``OSError`` if there is no answer.

        A kept connection that its receiver has closed meanwhile is replaced, once.
        """
        target = target_of(url)
        request = b"%b%d\r\n\r\n%b" % (target.head, len(body), body)
        kept = self._taken(target.origin)
        if kept is not None:
            try:
                return await self._exchange(target.origin, kept, request)
            except Unanswered:
                if kept.answering:
                    raise
        return await self._exchange(target.origin, await self._connected(target.origin), request)

    async def close(self) -> None:
        """Close what is kept."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle, self._count = {}, 0

    async def _exchange(self, origin: Origin, connection: _Connection, request: bytes) -> int:
        try:
            status = await connection.exchange(request)
        except BaseException:
            connection.close()
            raise
        if connection.reusable and self._count < MOST_IDLE:
            self._keep(origin, connection)
        else:
            connection.close()
        return status

    def _keep(self, origin: Origin, connection: _Connection) -> None:
        self._count += 1
        self._idle.setdefault(origin, []).append(connection)
        connection.since = asyncio.get_running_loop().time()

    def _taken(self, origin: Origin) -> _Connection | None:
        """The connection that was used last; those that are too old, or closed by the other side, go."""
        kept, now = self._idle.get(origin, []), asyncio.get_running_loop().time()
        while kept:
            self._count -= 1
            connection = kept.pop()
            if connection.reusable and now - connection.since < IDLE_PATIENCE:
                return connection
            connection.close()
        self._idle.pop(origin, None)
        return None

    async def _connected(self, origin: Origin) -> _Connection:
        scheme, host, port = origin
        if scheme == "https" and self._tls is None:
            self._tls = await asyncio.to_thread(self._trust)
        context = self._tls if scheme == "https" else None
        transport, connection = await asyncio.get_running_loop().create_connection(_Connection, host, port, ssl=context)
        address, reached = transport.get_extra_info("peername")[:2]
        if self._unwanted(address, reached):
            connection.close()
            raise Unwanted(f"{host} leads to {address}:{reached}, which takes no callbacks")
        return connection


class _Connection(asyncio.Protocol):
    """One exchange after the other; the parser calls the methods that begin with ``on_``."""

    def __init__(self) -> None:
        self.since = 0.0
        self.answering = False
        self.reusable = True
        self._status = 0
        self._received = 0
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    async def exchange(self, request: bytes) -> int:
        """Send a request; the status of its answer."""
        self.answering, self._status, self._received = False, 0, 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """End it at once."""
        self.reusable = False
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.answering = True
        self._received += len(data)
        if self._answer is None or self._answer.done():  # nobody asked
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._end(str(error))
        if self._received > MOST_ANSWER:
            self._end("the answer has no end")

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()

    def on_message_complete(self) -> None:
        if self._status >= 200 and self._answer is not None and not self._answer.done():
            self.reusable = self._parser.should_keep_alive()
            self._answer.set_result(self._status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc or "the connection was closed"))

    def _end(self, reason: str) -> None:
        """There will be no more; a status that came is the answer all the same."""
        self.reusable = False
        if self._answer is None or self._answer.done():
            return
        if self._status >= 200:
            self._answer.set_result(self._status)
        else:
            self._answer.set_exception(Unanswered(reason))
