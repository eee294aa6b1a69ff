"""Subscribers in a process of their own: they take every notification at once, and count.

`python -m benchmarks.notified` reads a `Plan`, says a line once it listens, and for each number that it then reads, a
line once it has taken so many in all; it ends with its input.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec
import uvloop

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Plan(msgspec.Struct):
    """Where to listen."""

    host: str
    port: int


class Counter:
    """How many notifications were taken; wakes who waits for a number."""

    def __init__(self) -> None:
        self.taken = 0
        self._wanted = 0
        self._reached = asyncio.Event()

    def take(self) -> None:
        """One more."""
        self.taken += 1
        if self.taken >= self._wanted:
            self._reached.set()

    async def reach(self, wanted: int) -> None:
        """Return once there are so many."""
        self._wanted = wanted
        self._reached.clear()
        if self.taken < wanted:
            await self._reached.wait()


class _Subscriber(asyncio.Protocol):
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            start = head.index(b"content-length:") + 15
            length = int(head[start:].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            del self._buffer[: end + 4 + length]
            self._counter.take()
            self._transport.write(ANSWER)  # type: ignore[attr-defined]


async def run(plan: Plan) -> None:
    """Take what comes until the input ends."""
    loop, counter = asyncio.get_running_loop(), Counter()
    server = await loop.create_server(lambda: _Subscriber(counter), plan.host, plan.port, backlog=1024)
    print("listening", flush=True)
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        await counter.reach(int(line))
        print(counter.taken, flush=True)
    server.close()


if __name__ == "__main__":
    uvloop.run(run(msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)))
