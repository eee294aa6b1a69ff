"""A small HTTP server: one thread a connection, everything bounded (bodies, connections, idle time)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from .connection import Answer, Connection, Request
from .problem import MEDIA_TYPE, Problem

BODY_LIMIT = 8 * 1024 * 1024
CONNECTIONS = 64

Routes = Mapping[tuple[str, str], Callable[[Request], Answer]]
"""(method, path) -> the function that answers; it may raise `Problem`."""


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
        super().__init__(address, Connection)

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
