"""Names of others: asked of other servers, remembered for their time to live.

One question at a time is open for a name and type, however many ask it. A server that does not answer rests a while:
the others are asked first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import dns.exception
import dns.flags
import dns.message
from dns.message import Message
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from hanse.drivers.names_embedded.asking import ask
from hanse.drivers.names_embedded.memory import Memory

PATIENCE = 3.0
"""Seconds after which a question is given up: less than the five that `dig` and stub resolvers wait."""

REST = 10.0
"""Seconds for which a server that did not answer is asked last."""

MOST_OPEN = 256
"""Questions that may be open at a time."""

_GOOD = (Rcode.NOERROR, Rcode.NXDOMAIN)


class Overloaded(Exception):
    """As many questions are open as may be."""


class Forwarder:
    """Asks ``servers`` (address, port) in turn; the only one twice, for datagrams get lost."""

    def __init__(self, servers: Sequence[tuple[str, int]], clock: Callable[[], float] = time.monotonic) -> None:
        self._servers = tuple(servers)
        self._clock = clock
        self._rest: dict[tuple[str, int], float] = {}
        self._memory = Memory(clock)
        self._open: dict[tuple[Name, RdataType], asyncio.Task[Message]] = {}

    def recall(self, name: Name, kind: RdataType) -> Message | None:
        """What is remembered, with what is left of its time to live."""
        return self._memory.recall(name, kind)

    async def ask(self, name: Name, kind: RdataType) -> Message:
        """The answer within `PATIENCE`; SERVFAIL if no server gave a good one. Raises `Overloaded`."""
        key = name.canonicalize(), kind
        task = self._open.get(key)
        if task is None:
            if len(self._open) >= MOST_OPEN:
                raise Overloaded
            task = self._open[key] = asyncio.get_running_loop().create_task(self._ask(name, kind))
            task.add_done_callback(lambda _: self._open.pop(key, None))
        return await asyncio.shield(task)

    def close(self) -> None:
        """Ask no more."""
        for task in list(self._open.values()):
            task.cancel()

    async def _ask(self, name: Name, kind: RdataType) -> Message:
        turns = self._turns()
        found = None
        for server in turns:
            found = await self._one(server, name, kind, PATIENCE / len(turns))
            if found is not None:
                break
        answer = found or _failure()
        self._memory.keep(name, kind, answer)
        return answer

    def _turns(self) -> Sequence[tuple[str, int]]:
        order = sorted(self._servers, key=lambda server: self._rest.get(server, 0.0) > self._clock())
        return order * 2 if len(order) == 1 else order

    async def _one(self, server: tuple[str, int], name: Name, kind: RdataType, patience: float) -> Message | None:
        """The good answer of one server, if it gives one: the failure of one need not be that of the next."""
        try:
            async with asyncio.timeout(patience):
                answer = await ask(server, name, kind)
        except (dns.exception.DNSException, OSError, EOFError, ValueError):
            self._rest[server] = self._clock() + REST
            return None
        self._rest.pop(server, None)
        return answer if answer.rcode() in _GOOD else None


def _failure() -> Message:
    failure = dns.message.Message()
    failure.flags |= dns.flags.QR
    failure.set_rcode(Rcode.SERVFAIL)
    return failure
