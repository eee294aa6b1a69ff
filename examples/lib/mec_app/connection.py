"""One client's HTTP connection: kept open, with bounded bodies, every error a problem (RFC 9112, RFC 7807)."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, NamedTuple

from . import trace
from .problem import MEDIA_TYPE, Problem

if TYPE_CHECKING:
    from .server import Server

IDLE_SECONDS = 30.0


class Request(NamedTuple):
    """What a client asks for; ``media_type`` is that of the body, ``peer`` the client's end, ``ADDRESS:PORT``."""

    method: str
    path: str
    media_type: str
    body: bytes
    peer: str = ""


class Answer(NamedTuple):
    """What we answer; ``headers`` are added to the ones that every answer has."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class Connection(BaseHTTPRequestHandler):
    """One client's connection; the standard library reads the request line and the headers."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    wbufsize = 65536  # head and body leave in one segment ...
    disable_nagle_algorithm = True  # ... and at once
    server: Server

    def _serve(self) -> None:
        trace.begin(self.headers.get("traceparent"))
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
        media_type = self.headers.get("Content-Type", "application/octet-stream")
        return Request(self.command, path, media_type, body, self._peer())

    def _peer(self) -> str:
        """The other end of the connection; an IPv6 address stands in brackets."""
        host, port = self.client_address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

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
