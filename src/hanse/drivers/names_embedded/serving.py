"""The sockets of the name server: datagrams, and connections that are bounded in number, time and messages."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable

Reply = Callable[[bytes, str, bool], "bytes | Awaitable[bytes | None] | None"]
"""Answers a message (its bytes, the client's address, whether it came by UDP): at once, never, or later."""

MOST_CONNECTIONS = 64
MOST_MESSAGES = 128
IDLE_SECONDS = 10.0
"""Bounds on TCP (RFC 7766, 6.2.3): connections at a time, messages on one, silence on one."""

BATCH = 64
"""Datagrams that are answered before anything else of the process has its turn: some milliseconds."""

_LONGEST_QUERY = 4096
_LENGTH = struct.Struct("!H")


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

    def _later(self, answer: Awaitable[bytes | None], sender: tuple[str, int]) -> None:
        task = asyncio.get_running_loop().create_task(self._send_later(answer, sender))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _send_later(self, answer: Awaitable[bytes | None], sender: tuple[str, int]) -> None:
        found = await answer
        if found is not None and self._socket:
            with contextlib.suppress(OSError):
                self._socket.sendto(found, sender)


class StreamService:
    """Answers messages on TCP connections, one after the other on each."""

    def __init__(self, reply: Reply, idle: float = IDLE_SECONDS, most: int = MOST_MESSAGES) -> None:
        self._reply, self._idle, self._most = reply, idle, most
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the client ends it or a bound is reached."""
        if len(self._writers) >= MOST_CONNECTIONS:
            writer.close()
            return
        self._writers.add(writer)
        try:
            for _ in range(self._most):
                async with asyncio.timeout(self._idle):
                    if not await self._exchange(reader, writer):
                        break
        except (OSError, asyncio.IncompleteReadError):  # gone, or silent for too long
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def close(self) -> None:
        """End every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One message and its answer; ``False`` for a message that deserves none."""
        [length] = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        message = await reader.readexactly(length)
        answer = self._reply(message, writer.get_extra_info("peername")[0], False)
        if answer is None:
            return False
        body = answer if isinstance(answer, bytes) else await answer
        if body is None:
            return False
        writer.write(_LENGTH.pack(len(body)) + body)
        await writer.drain()
        return True
