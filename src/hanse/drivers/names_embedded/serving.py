"""Datagrams to the name server: drained in batches, answered at once, later or never."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine

from hanse.kit.datagrams import Datagram, Datagrams

log = logging.getLogger("hanse.names")

Reply = Callable[[bytes, str, bool], "bytes | Coroutine[None, None, bytes | None] | None"]
"""Answers a message (its bytes, the client's address, whether it came by UDP): at once, never, or later."""

MOST_WAITING = 1024
"""Answers that may be waited for at a time; beyond, none is given: who is really there asks again."""

BATCH = 64
"""Datagrams that are answered before anything else of the process has its turn: some milliseconds."""

_LONGEST = 4096
"""Bytes of a query or an answer."""


class DatagramService:
    """Answers datagrams as they come, a batch each time; an answer that must be waited for holds up no other."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._socket: socket.socket | None = None
        self._waiting: set[asyncio.Task[None]] = set()

    def open(self, sock: socket.socket) -> None:
        """Answer what arrives on a bound, non-blocking socket, which belongs to the service from now on."""
        self._socket = sock
        asyncio.get_running_loop().add_reader(sock, self._drain, Datagrams(sock, BATCH, _LONGEST))

    def close(self) -> None:
        """Answer nobody any more."""
        for task in self._waiting:
            task.cancel()
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _drain(self, datagrams: Datagrams) -> None:
        """One wake-up of the loop costs more than an answer: take what there is, and let others have their turn."""
        reply, host, answers = self._reply, datagrams.host, list[Datagram]()
        for query, sender in datagrams.receive():
            try:
                answer = reply(query, host(sender), True)
            except Exception:  # an error of ours, which must cost nobody else an answer
                log.exception("no answer to %s", query.hex())
                continue
            if type(answer) is bytes:
                answers.append((answer, sender))
            elif answer is not None:
                self._later(answer, datagrams, sender)  # type: ignore[arg-type]
        datagrams.send(answers)

    def _later(self, answer: Coroutine[None, None, bytes | None], datagrams: Datagrams, sender: bytes) -> None:
        if len(self._waiting) >= MOST_WAITING:
            answer.close()
            return
        task = asyncio.get_running_loop().create_task(self._send_later(answer, datagrams, sender))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _send_later(
        self, answer: Coroutine[None, None, bytes | None], datagrams: Datagrams, sender: bytes
    ) -> None:
        found = await answer
        if found is not None and self._socket:
            datagrams.send([(found, sender)])
