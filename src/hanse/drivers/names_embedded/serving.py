"""The sockets of the name server: datagrams, and connections that are bounded in number, time and messages."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import cast

Reply = Callable[[bytes, str, bool], "bytes | Awaitable[bytes] | None"]
"""Answers a message (its bytes, the client's address, whether it came by UDP): at once, never, or later."""

MOST_CONNECTIONS = 64
MOST_MESSAGES = 128
IDLE_SECONDS = 10.0
"""Bounds on TCP (RFC 7766, 6.2.3): connections at a time, messages on one, silence on one."""

_LENGTH = struct.Struct("!H")


class DatagramService(asyncio.DatagramProtocol):
    """Answers datagrams; an answer that must be waited for holds up no other."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._reply(data, addr[0], True)
        if answer is None:
            return
        if isinstance(answer, bytes):
            self._send(answer, addr)
            return
        task = asyncio.get_running_loop().create_task(self._send_later(answer, addr))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    def close(self) -> None:
        """Answer nobody any more."""
        for task in self._waiting:
            task.cancel()
        if self._transport:
            self._transport.close()

    async def _send_later(self, answer: Awaitable[bytes], addr: tuple[str, int]) -> None:
        self._send(await answer, addr)

    def _send(self, answer: bytes, addr: tuple[str, int]) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(answer, addr)


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
        writer.write(_LENGTH.pack(len(body)) + body)
        await writer.drain()
        return True
