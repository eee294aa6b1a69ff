"""Datagrams to the name server: drained in batches, answered at once, later or never."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine

Reply = Callable[[bytes, str, bool], "bytes | Coroutine[None, None, bytes | None] | None"]
"""Answers a message (its bytes, the client's address, whether it came by UDP): at once, never, or later."""

MOST_WAITING = 1024
"""Answers that may be waited for at a time; beyond, none is given: who is really there asks again."""

BATCH = 64
"""Datagrams that are answered before anything else of the process has its turn: some milliseconds."""

_LONGEST_QUERY = 4096


class DatagramService:
    """Answers datagrams as they come, a batch each time; an answer that must be waited for holds up no other."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._socket: socket.socket | None = None
        self._waiting: set[asyncio.Task[None]] = set()

    def open(self, sock: socket.socket) -> None:
        """Answer what arrives on a bound, non-blocking socket, which belongs to the service from now on."""
        self._socket = sock
        asyncio.get_running_loop().add_reader(sock, self._drain, sock)

    def close(self) -> None:
        """Answer nobody any more."""
        for task in self._waiting:
            task.cancel()
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _drain(self, sock: socket.socket) -> None:
        """One wake-up of the loop costs more than an answer: take what there is, and let others have their turn."""
        receive, reply, send = sock.recvfrom, self._reply, sock.sendto
        for _ in range(BATCH):
            try:
                data, sender = receive(_LONGEST_QUERY)
            except OSError:  # nothing more; or an error of an earlier answer, which its client will miss
                return
            answer = reply(data, sender[0], True)
            if type(answer) is bytes:
                try:
                    send(answer, sender)
                except OSError:
                    continue  # there is no room, or no way: the client asks again
            elif answer is not None:
                self._later(answer, sender)  # type: ignore[arg-type]

    def _later(self, answer: Coroutine[None, None, bytes | None], sender: tuple[str, int]) -> None:
        if len(self._waiting) >= MOST_WAITING:
            answer.close()
            return
        task = asyncio.get_running_loop().create_task(self._send_later(answer, sender))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _send_later(self, answer: Coroutine[None, None, bytes | None], sender: tuple[str, int]) -> None:
        found = await answer
        if found is not None and self._socket:
            with contextlib.suppress(OSError):
                self._socket.sendto(found, sender)
