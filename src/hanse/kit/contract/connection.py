"""One connection: uvicorn's HTTP protocol, with the limits and the certificate that it does not give."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hanse.kit.contract.asgi import ANSWER_AT_ONCE, SHOWN
from hanse.kit.contract.dates import today
from hanse.kit.contract.written import Written
from hanse.kit.places import Place
from hanse.kit.problems import MEDIA_TYPE, Problem

HEADER_PATIENCE = 10.0
"""Seconds in which the headers of a request must have arrived."""
IDLE_PATIENCE = 60.0
"""Seconds that a kept-alive connection may stay idle."""
SEND_PATIENCE = 30.0
"""Seconds in which a client must take something of what is sent to it."""
HEADER_LIMIT = 64 * 1024
"""Bytes of request line and headers."""
TARGET = "hanse.target"
"""Key of the scope: the request target as it came (RFC 9112, 3.2), bytes; ASGI tells only its path and query."""
TLS = "hanse.tls"
"""Key of the scope: the TLS object of the connection (`ssl.SSLObject`), ``None`` without TLS."""


def bound_sending(sock: socket.socket) -> None:
    """Let the kernel end a connection whose client takes nothing for ``SEND_PATIENCE``; a slow one is none of these.

    It holds for all that is written, a closing connection's last bytes included, and costs no timer of ours.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(SEND_PATIENCE * 1000))


class Connection(HttpToolsProtocol):
    """Adds to uvicorn's protocol: the client's certificate in the scope, and bounds on slow or endless headers."""

    place: Place | None = None
    """Its place among those of its listener."""
    _certificate: bytes | None = None
    _tls: ssl.SSLObject | None = None
    _watch: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _in_headers = True
    _begun = False
    _messages = 0
    _idle_watch: asyncio.TimerHandle | None = None
    _answered = 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        tls = self._tls = transport.get_extra_info("ssl_object")
        self._certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        if self.place is not None:
            self.place.leave = transport.abort
            if self._certificate is not None:
                self.place.known()
        self._expect_headers()

    def _expect_headers(self) -> None:
        if self._watch is None:
            self._watch = self.loop.call_later(HEADER_PATIENCE, self._too_slow)

    def _too_slow(self) -> None:
        self._watch = None
        if self._in_headers and not self.transport.is_closing():
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        message = self._messages
        self._parse(data)
        if not self._in_headers:
            return
        if self._begun or self._messages == message:  # a request stops in the middle of its headers
            self._expect_headers()
        if self._messages == message:  # all of the data was headers, nothing of it a body
            self._header_bytes += len(data)
            if self._header_bytes > HEADER_LIMIT:
                self.transport.abort()

    def _parse(self, data: bytes) -> None:
        """As uvicorn's, but no upgrade is offered: a request for one is read as a plain one (RFC 9110, 7.8)."""
        rest = data
        try:
            while rest:
                try:
                    self.parser.feed_data(rest)
                    return
                except httptools.HttpParserUpgrade as asked:
                    rest = rest[asked.args[0] :]
                    if self._asks_for_upgrade():  # the parser has left out its body
                        rest = self._head_without_upgrade() + rest
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _asks_for_upgrade(self) -> bool:
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP in the words of every other refusal."""
        body = Problem(400, "Request is not HTTP/1.1", msg).encode()
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\nDate: "
        self.transport.write(head.encode() + today() + b"\r\nConnection: close\r\n\r\n" + body)
        self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = True
        self.scope["client_certificate"] = self._certificate  # type: ignore[typeddict-unknown-key]

    def on_headers_complete(self) -> None:
        if self._asks_for_upgrade():
            return
        self._in_headers = self._begun = False
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        super().on_headers_complete()
        self.scope[TARGET], self.scope[TLS] = self.url, self._tls  # type: ignore[literal-required]
        if self.place is not None and self.place.stranger:
            self.scope[SHOWN] = self.place.known  # type: ignore[literal-required]
        self.scope[ANSWER_AT_ONCE] = Written(self.cycle)  # type: ignore[literal-required]

    def on_response_complete(self) -> None:
        """As uvicorn's, but with one timer a connection: one a request costs as much as a lookup."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._answered = self.loop.time()
        if self._idle_watch is None:
            self._idle_watch = self.loop.call_later(IDLE_PATIENCE, self._perhaps_idle)

    def _perhaps_idle(self) -> None:
        """Close after ``IDLE_PATIENCE`` without a request; a request under way has bounds of its own."""
        self._idle_watch = None
        if self._begun or not self.cycle.response_complete or self.transport.is_closing():
            return
        left = self._answered + IDLE_PATIENCE - self.loop.time()
        if left > 0:
            self._idle_watch = self.loop.call_later(left, self._perhaps_idle)
        else:
            self.transport.close()

    def on_message_complete(self) -> None:
        if self._asks_for_upgrade():
            return
        super().on_message_complete()
        self._in_headers, self._header_bytes = True, 0
        self._messages += 1

    def connection_lost(self, exc: Exception | None) -> None:
        for watch in (self._watch, self._idle_watch):
            if watch is not None:
                watch.cancel()
        self._tls = None
        if self.place is not None:
            self.place.give_back()
        super().connection_lost(exc)
