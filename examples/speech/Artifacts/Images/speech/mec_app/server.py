"""A small HTTP server: keep-alive, one thread a connection, everything bounded (bodies, connections, idle time)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, NamedTuple

from .problem import MEDIA_TYPE, Problem

BODY_LIMIT = 8 * 1024 * 1024
CONNECTIONS = 64
IDLE_SECONDS = 30.0


class Request(NamedTuple):
    """What a client asks for; ``media_type`` is that of the body."""

    method: str
    path: str
    media_type: str
    body: bytes


class Answer(NamedTuple):
    """What we answer; ``headers`` are added to the ones that every answer has."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Routes = Mapping[tuple[str, str], Callable[[Request], Answer]]
"""(method, path) -> the function that answers; it may raise `Problem`."""


class _Connection(BaseHTTPRequestHandler):
    """One client's connection; the standard library reads the request line and the headers."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    wbufsize = 65536  # head and body leave in one segment ...
    disable_nagle_algorithm = True  # ... and at once
    server: Server

    def _serve(self) -> None:
        with self.server.request_under_way():
            self._write(self._answer())
            self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 (http.server names them)

    def _answer(self) -> Answer:
        try:
            return self.server.answer(self._request())
        except Problem as problem:
            return Answer(problem.status, problem.body(), MEDIA_TYPE)

    def _request(self) -> Request:
        try:
            length = self._length()
            body = self.rfile.read(length)
            if len(body) < length:
                raise Problem(400, "The body is cut short", f"{length} bytes were announced, {len(body)} came")
        except Problem:
            self.close_connection = True  # what follows on this connection is a body that nobody will read
            raise
        path = self.path.partition("?")[0]
        return Request(self.command, path, self.headers.get("Content-Type", "application/octet-stream"), body)

    def _length(self) -> int:
        """Length of the body in bytes; a body without a length, or above the limit, is refused unread."""
        if "Transfer-Encoding" in self.headers:
            raise Problem(411, "Content-Length is missing", "send the body with a Content-Length, not in chunks")
        text = self.headers.get("Content-Length", "0")
        if not (text.isascii() and text.isdigit()):
            raise Problem(400, "Content-Length is not a number", f"give the body's length in bytes, not {text[:20]!r}")
        if len(text) > 12 or int(text) > self.server.body_limit:
            raise Problem(413, "The body is too large", f"send at most {self.server.body_limit} bytes")
        return int(text)

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.status != 204:
            self.send_header("Content-Type", answer.media_type)
            self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def handle_expect_100(self) -> bool:
        """Let a client that asks first send its body: the word must not wait in the buffer."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Requests that the standard library itself refuses get a problem, too, instead of its HTML page."""
        self.close_connection = True
        self.request_version = self.protocol_version  # a line without a version is a mistake, not HTTP/0.9
        problem = Problem(int(code), message or "Bad request", explain or "")
        self._write(Answer(problem.status, problem.body(), MEDIA_TYPE))

    def log_message(self, format: str, *args: object) -> None:
        """No line per request: the platform keeps only the last bytes of what an app writes."""


class Server(ThreadingHTTPServer):
    """Answers ``routes`` on ``address`` in background threads; no request can take more than its share."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], routes: Routes, body_limit: int = BODY_LIMIT) -> None:
        self.routes = dict(routes)
        self.body_limit = body_limit
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        self._under_way = 0
        self._changed = threading.Condition()
        super().__init__(address, _Connection)

    def start(self) -> None:
        """Begin to answer; returns at once."""
        threading.Thread(target=self.serve_forever, name="http", daemon=True).start()

    def answer(self, request: Request) -> Answer:
        """The route's answer; what a route did not foresee is a 500 without its inner details."""
        route = self.routes.get((request.method, request.path))
        if route is None:
            return self._no_route(request)
        try:
            return route(request)
        except Problem:
            raise
        except Exception as error:
            print(f"{request.method} {request.path} failed: {error!r}", file=sys.stderr, flush=True)
            raise Problem(500, "Internal error", "the application failed; its output says more") from error

    def _no_route(self, request: Request) -> Answer:
        allowed = ", ".join(sorted(method for method, path in self.routes if path == request.path))
        if not allowed:
            raise Problem(404, "No such resource", f"there is nothing at {request.path[:200]}")
        problem = Problem(405, "Method not allowed", f"{request.path} allows {allowed}")
        return Answer(405, problem.body(), MEDIA_TYPE, (("Allow", allowed),))

    @contextmanager
    def request_under_way(self) -> Iterator[None]:
        """Count a request, so that `drain` can wait for it."""
        with self._changed:
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait until no request is under way; False if that took longer than ``seconds``."""
        with self._changed:
            return self._changed.wait_for(lambda: self._under_way == 0, seconds)

    def server_bind(self) -> None:
        """Bind without the reverse DNS look-up of the standard library, which can take seconds."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread, or close it when all places are taken."""
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve the connection until it closes, then free its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (as in the base class)
        """A client that went away is no news; anything else gets one line."""
        error = sys.exception()
        if not isinstance(error, OSError):
            print(f"connection from {client_address} failed: {error!r}", file=sys.stderr, flush=True)
