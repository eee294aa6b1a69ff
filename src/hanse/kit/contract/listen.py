"""Listening: connections on sockets of ours, as many as the process has room for."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from hanse.kit import descriptors
from hanse.kit.accepting import Acceptor
from hanse.kit.contract import connection as connections
from hanse.kit.places import Place, Places

SHARE = 16
"""One listener has this part of the process's descriptors for its connections: its callers cannot deafen the others."""
FEWEST = 64
"""Connections that a listener takes however few descriptors there are."""


class Listener:
    """Serves an ASGI application on one socket, with TLS if a context is given."""

    def __init__(self, application: Any, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        self.application = application
        self._sock = sock
        self._context = context
        self._state = ServerState()
        self._config = Config(
            application,
            http=connections.Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody's word on where a request comes from is taken
        )
        self._config.load()
        self._acceptor: Acceptor | None = None
        self._greeted: set[asyncio.Task[None]] = set()
        self._places = Places(max(FEWEST, descriptors.allowed() // SHARE))

    @property
    def address(self) -> str:
        """The address that it listens on."""
        return str(self._sock.getsockname()[0])

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._sock.getsockname()[1])

    async def start(self) -> None:
        """Accept connections from now on."""
        self._acceptor = Acceptor(self._sock, self._dialled, self._places.any)

    def _dialled(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        place = self._places.take(peer[0], sock.close)
        if place is None:
            sock.close()
            return
        task = asyncio.get_running_loop().create_task(self._greet(sock, place))
        place.leave = functools.partial(_turned_away, task, sock)
        self._greeted.add(task)
        task.add_done_callback(self._greeted.discard)

    async def _greet(self, sock: socket.socket, place: Place) -> None:
        """Shake hands; who does not, or not in time, is let go."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            place.leave = task.cancel
        connection = connections.Connection(self._config, self._state, {}, loop)
        connection.place = place
        try:
            connections.bound_sending(sock)
            await loop.connect_accepted_socket(
                lambda: connection,
                sock,
                ssl=self._context,
                ssl_handshake_timeout=connections.HEADER_PATIENCE if self._context else None,
            )
        except OSError:
            pass
        finally:
            if connection.transport is None:  # else it is given back when the connection is lost
                place.give_back()

    def drop(self, refused: Callable[[bytes], bool]) -> int:
        """Cut every connection whose client showed a certificate (DER) that is refused now; the number cut."""
        shown = [(c, getattr(c, "_certificate", None)) for c in self._state.connections]
        victims = [connection for connection, certificate in shown if certificate and refused(certificate)]
        for connection in victims:
            connection.transport.abort()
        return len(victims)

    async def close(self, grace: float = 2.0) -> None:
        """Stop accepting, let answers finish for ``grace`` seconds, then cut what is left."""
        if self._acceptor is None:
            self._sock.close()
            return
        self._acceptor.close()
        for greeted in list(self._greeted):
            greeted.cancel()
        for connection in list(self._state.connections):
            connection.shutdown()
        deadline = asyncio.get_running_loop().time() + grace
        while self._state.connections and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for connection in list(self._state.connections):
            connection.transport.abort()
        for task in list(self._state.tasks):
            task.cancel()


def _turned_away(task: asyncio.Task[None], sock: socket.socket) -> None:
    """A greeting that has not begun would not close the socket that it was given."""
    task.cancel()
    sock.close()
