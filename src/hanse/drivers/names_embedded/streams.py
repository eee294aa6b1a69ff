"""Connections to the name server (RFC 7766): pipelined, answered as answers come, bounded in number and time."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter, OrderedDict
from collections.abc import Coroutine

from hanse.drivers.names_embedded.serving import BATCH, Reply

MOST_CONNECTIONS = 64
"""Connections at a time; one more takes the place of one of the address that has most, of these the one that was
silent the longest: so nobody keeps others out (RFC 7766, 6.2.3)."""

MOST_PIPELINED = 32
"""Answers of a connection that may be waited for at a time; beyond, no more of it is read."""

IDLE_SECONDS = 10.0
"""Seconds of silence, and for a message and its answer to get through, after which a connection is ended."""

_LENGTH = struct.Struct("!H")


class StreamService:
    """Answers messages on connections; an answer that must be waited for holds up no other of its connection."""

    def __init__(self, reply: Reply, idle: float = IDLE_SECONDS) -> None:
        self._reply, self._idle = reply, idle
        self._open: OrderedDict[_Connection, None] = OrderedDict()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the client ends it, and has its answers, or a bound is reached."""
        if len(self._open) >= MOST_CONNECTIONS:
            self._make_room()
        connection = _Connection(reader, writer)
        self._open[connection] = None
        try:
            while await self._exchange(connection):
                if connection in self._open:
                    self._open.move_to_end(connection)
            async with asyncio.timeout(self._idle):
                await connection.finish()
        except (OSError, asyncio.IncompleteReadError):  # gone, or silent for too long
            pass
        finally:
            self._open.pop(connection, None)
            connection.end()

    def close(self) -> None:
        """End every connection."""
        for connection in list(self._open):
            connection.abort()

    def _make_room(self) -> None:
        [(greedy, _)] = Counter(connection.address for connection in self._open).most_common(1)
        silent = next(connection for connection in self._open if connection.address == greedy)
        del self._open[silent]
        silent.abort()

    async def _exchange(self, connection: _Connection) -> bool:
        """One message; ``False`` after the last, and for one that deserves no answer."""
        async with asyncio.timeout(self._idle):
            message = await connection.message()
            answer = self._reply(message, connection.address, False) if message is not None else None
            if answer is None:
                return False
            await connection.answer(answer)
        return True


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.address: str = writer.get_extra_info("peername")[0]
        self._reader, self._writer = reader, writer
        self._waiting: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(MOST_PIPELINED)
        self._read = 0

    async def message(self) -> bytes | None:
        """The next; ``None`` if the client sends no more."""
        self._read += 1
        if self._read % BATCH == 0:
            await asyncio.sleep(0)  # what is there already is read without a pause: let others have their turn
        head = await self._reader.read(1)
        if not head:
            return None
        [length] = _LENGTH.unpack(head + await self._reader.readexactly(1))
        return await self._reader.readexactly(length)

    async def answer(self, answer: bytes | Coroutine[None, None, bytes | None]) -> None:
        """Send an answer now, or once there is one."""
        if isinstance(answer, bytes):
            self._send(answer)
            await self._writer.drain()
            return
        await self._places.acquire()
        task = asyncio.ensure_future(self._send_later(answer))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def finish(self) -> None:
        """Send what is still waited for."""
        await asyncio.gather(*self._waiting)
        await self._writer.drain()

    def end(self) -> None:
        """Close it, once what was written is sent; nothing more will be."""
        for task in self._waiting:
            task.cancel()
        self._writer.close()

    def abort(self) -> None:
        """Close it now."""
        self._writer.transport.abort()

    async def _send_later(self, answer: Coroutine[None, None, bytes | None]) -> None:
        try:
            found = await answer
            if found is not None:
                self._send(found)
        finally:
            self._places.release()

    def _send(self, answer: bytes) -> None:
        self._writer.write(_LENGTH.pack(len(answer)) + answer)
