"""HTTP calls over TLS that trusts the platform's CA alone; idle connections are kept and used again."""

from __future__ import annotations

import select
import ssl
from collections import deque
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from . import trace
from .problem import Problem

REPLY_LIMIT = 8 * 1024 * 1024
IDLE_CONNECTIONS = 4


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes


class Client:
    """Sends requests from any thread. ``ca_file`` is a PEM file; ``timeout`` bounds each wait, in seconds."""

    def __init__(self, ca_file: str, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._tls.load_verify_locations(ca_file)
        self._idle: dict[tuple[str, str], deque[HTTPConnection]] = {}

    def send(self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        """The server's reply, whatever its status; 503 if the server cannot be reached, 502 if it talks nonsense."""
        target = urlsplit(url)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        try:
            connection = self._connection(target)
            connection.request(method, path, body, {"traceparent": trace.header(), **(headers or {})})
            return self._reply(target, connection)
        except HTTPException as error:
            raise Problem(502, f"{target.netloc} does not speak HTTP", repr(error)) from error
        except (OSError, ValueError) as error:
            raise Problem(503, f"{target.netloc} cannot be reached", str(error)) from error

    def _connection(self, target: SplitResult) -> HTTPConnection:
        """An idle connection that is still open, else a new one."""
        idle = self._idle.setdefault((target.scheme, target.netloc), deque(maxlen=IDLE_CONNECTIONS))
        while True:
            try:
                connection = idle.pop()
            except IndexError:
                return self._new(target)
            if not _hung_up(connection):
                connection.sock.settimeout(self.timeout)
                return connection
            connection.close()

    def _new(self, target: SplitResult) -> HTTPConnection:
        if target.scheme == "https":
            return HTTPSConnection(target.hostname or "", target.port, timeout=self.timeout, context=self._tls)
        if target.scheme == "http":
            return HTTPConnection(target.hostname or "", target.port, timeout=self.timeout)
        raise ValueError(f"the scheme is {target.scheme!r}, not http or https")

    def _reply(self, target: SplitResult, connection: HTTPConnection) -> Reply:
        response = connection.getresponse()
        body = response.read(REPLY_LIMIT + 1)
        if len(body) > REPLY_LIMIT:
            connection.close()
            raise Problem(502, f"{target.netloc} answers too much", f"more than {REPLY_LIMIT} bytes")
        if response.isclosed() and not response.will_close:
            self._idle[target.scheme, target.netloc].append(connection)
        else:
            connection.close()
        return Reply(response.status, body)


def _hung_up(connection: HTTPConnection) -> bool:
    """An idle connection on which something waits to be read has been closed by the other side."""
    return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])
