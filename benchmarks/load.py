"""A load generator in a process of its own: one TLS connection a caller, each asks again as soon as it is answered.

Its speed does not matter, as the server's CPU time for each operation is compared. `python -m benchmarks.load` reads a
`Plan`, says a line once it is connected, begins at the next line that it reads, and answers with a `Result`.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import sys
import time

import msgspec
import uvloop


class Plan(msgspec.Struct):
    """Whom to ask, for how many seconds, and what; ``authorizations`` has an entry for each connection."""

    host: str
    port: int
    authority: str
    seconds: float
    targets: list[str]
    lengths: list[int]
    authorizations: list[str]
    seed: int = 1


class Seen(msgspec.Struct):
    """What one connection saw: good answers, when the last good and the first refusal came (Unix seconds)."""

    good: int = 0
    last_good: float = 0.0
    refused: int = 0
    first_refused: float = 0.0
    good_after_refusal: int = 0
    wrong: int = 0


class Result(msgspec.Struct):
    """What all of them saw."""

    seconds: float
    seen: list[Seen]

    @property
    def good(self) -> int:
        """Good answers in all."""
        return sum(seen.good for seen in self.seen)


REFUSALS = 5
"""Refused requests after which a connection stops: they cost less than answers and would blur them."""


class _Caller(asyncio.Protocol):
    def __init__(self, plan: Plan, authorization: str) -> None:
        self.seen = Seen()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rng = random.Random(f"{plan.seed} {authorization}")
        self._requests = [_request(target, plan.host, authorization) for target in plan.targets]
        self._lengths = plan.lengths
        self._deadline = 0.0
        self._buffer = bytearray()
        self._wanted = self._asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def begin(self, deadline: float) -> None:
        """Ask from now on until then."""
        self._deadline = deadline
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._wanted:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[: end + 2].lower()
            start = head.index(b"content-length:") + 15
            self._length = int(head[start : head.index(b"\r\n", start)])
            self._wanted = end + 4 + self._length
        if len(self._buffer) >= self._wanted:
            self._answered(bytes(self._buffer[9:12]))

    def _answered(self, status: bytes) -> None:
        now, seen = time.time(), self.seen
        if status == b"200" and self._length == self._lengths[self._asked]:
            seen.good += 1
            seen.last_good = now
            seen.good_after_refusal += bool(seen.refused)
        elif status == b"401":
            seen.refused += 1
            seen.first_refused = seen.first_refused or now
        else:
            seen.wrong += 1
        self._buffer.clear()
        self._wanted = 0
        if now >= self._deadline or seen.refused >= REFUSALS or seen.wrong:
            self._transport.close()
        else:
            self._ask()

    def _ask(self) -> None:
        self._asked = self._rng.randrange(len(self._requests))
        self._transport.write(self._requests[self._asked])  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None or self._wanted:
            self.seen.wrong += 1
        self.ended.set_result(None)


def _request(target: str, host: str, authorization: str) -> bytes:
    head = f"GET {target} HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\nauthorization: {authorization}\r\n"
    return head.encode() + b"\r\n"


async def run(plan: Plan) -> Result:
    """Put the load on."""
    context = ssl.create_default_context(cafile=plan.authority)
    loop = asyncio.get_running_loop()
    callers = [_Caller(plan, authorization) for authorization in plan.authorizations]
    for caller in callers:
        await loop.create_connection(lambda caller=caller: caller, plan.host, plan.port, ssl=context)  # type: ignore[misc]
    print("connected", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.readline)
    began = time.time()
    for caller in callers:
        caller.begin(began + plan.seconds)
    await asyncio.wait([caller.ended for caller in callers], timeout=plan.seconds + 10)
    return Result(time.time() - began, [caller.seen for caller in callers])


def main() -> None:
    """Read a plan, answer with the result."""
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    print(msgspec.json.encode(uvloop.run(run(plan))).decode())


if __name__ == "__main__":
    main()
