"""Accepting connections: their sockets as they come, as long as there is room for them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

_AT_ONCE = 100
_AGAIN = 0.1
"""Seconds without accepting when there is no room, or no descriptor left; who dials waits in the kernel's queue."""


class Acceptor:
    """Hands on each connection of a listening, non-blocking socket, with the address and port that dialled.

    ``room`` says whether one more may be taken now.
    """

    def __init__(
        self,
        sock: socket.socket,
        dialled: Callable[[socket.socket, tuple[str, int]], None],
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        self._sock, self._dialled, self._room = sock, dialled, room
        self._loop = asyncio.get_running_loop()
        self._later: asyncio.TimerHandle | None = None
        self._start()

    def close(self) -> None:
        """Listen no more; connections that were handed on live on."""
        if self._sock.fileno() < 0:
            return
        if self._later:
            self._later.cancel()
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _start(self) -> None:
        self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            if self._sock.fileno() < 0:  # a connection may be what ends the listening
                return
            if not self._room():
                self._pause()
                return
            try:
                connection, peer = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                self._pause()
                return
            connection.setblocking(False)
            self._dialled(connection, peer[:2])

    def _pause(self) -> None:
        self._loop.remove_reader(self._sock)
        self._later = self._loop.call_later(_AGAIN, self._start)
