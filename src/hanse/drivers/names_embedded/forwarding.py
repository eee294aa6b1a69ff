"""Names of others: asked of another server, remembered for their time to live, and defended against forgery (RFC 5452).

Each question goes out from a socket of its own, hence from a port that the kernel chose at random, connected, so that
only that server's datagrams arrive; with a random id and random case of letters. One question at a time is open for
a name and type, however many ask it.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Callable

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
from dns.message import Message, QueryMessage
from dns.name import Name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from hanse.drivers.names_embedded.memory import Memory
from hanse.drivers.names_embedded.query import PAYLOAD
from hanse.drivers.names_embedded.trust import believed

PATIENCE = 3.0
"""Seconds after which a question is given up."""

MOST_OPEN = 256
"""Questions that may be open at a time."""

MOST_FORGED = 16
"""Datagrams that answer something else, after which a question is asked by TCP: somebody guesses (RFC 5452, 9.3)."""

_MOST_BYTES = 65535


class Overloaded(Exception):
    """As many questions are open as may be."""


class Forwarder:
    """Asks ``server`` (address, port), twice if need be."""

    def __init__(self, server: tuple[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._memory = Memory(clock)
        self._open: dict[tuple[Name, RdataType], asyncio.Task[Message]] = {}

    def recall(self, name: Name, kind: RdataType) -> Message | None:
        """What is remembered, with what is left of its time to live."""
        return self._memory.recall(name, kind)

    async def ask(self, name: Name, kind: RdataType) -> Message:
        """The answer; raises `Overloaded`, ``OSError`` or ``DNSException`` if there is none."""
        key = name.canonicalize(), kind
        task = self._open.get(key)
        if task is None:
            if len(self._open) >= MOST_OPEN:
                raise Overloaded
            task = self._open[key] = asyncio.get_running_loop().create_task(self._ask(name, kind))
            task.add_done_callback(lambda done: self._closed(key, done))
        return await asyncio.shield(task)

    def close(self) -> None:
        """Ask no more."""
        for task in list(self._open.values()):
            task.cancel()

    def _closed(self, key: tuple[Name, RdataType], task: asyncio.Task[Message]) -> None:
        self._open.pop(key, None)
        if not task.cancelled():
            task.exception()  # told to those who wait, if any still do

    async def _ask(self, name: Name, kind: RdataType) -> Message:
        for attempt in (1, 2):
            query = question(name, kind)
            try:
                async with asyncio.timeout(PATIENCE / 2):
                    answer = await self._exchange(query)
                break
            except TimeoutError:
                if attempt == 2:
                    raise
        kept = believed(query, answer)
        self._memory.keep(name, kind, kept)
        return kept

    async def _exchange(self, query: QueryMessage) -> Message:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect(self._server)
            await loop.sock_sendall(sock, query.to_wire())
            answer = None
            for _ in range(MOST_FORGED):
                answer = matching(query, await loop.sock_recv(sock, _MOST_BYTES))
                if answer is not None:
                    break
        if answer is None or answer.flags & dns.flags.TC:
            address, port = self._server
            return await dns.asyncquery.tcp(query, address, PATIENCE / 2, port)
        return answer


def question(name: Name, kind: RdataType) -> QueryMessage:
    """A question with a random id and each letter in random case, which an answer must repeat."""
    labels = [
        bytes(byte ^ 0x20 if chr(byte).isalpha() and byte < 128 and secrets.randbits(1) else byte for byte in label)
        for label in name.labels
    ]
    query = dns.message.make_query(Name(labels), kind, use_edns=0, payload=PAYLOAD)
    query.id = secrets.randbits(16)
    return query


def matching(query: QueryMessage, wire: bytes) -> Message | None:
    """The answer to a question of ours, if it is one: the id, the question with its case; ``None`` for a forgery."""
    try:
        answer = dns.message.from_wire(wire, ignore_trailing=False)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None
    if answer.id != query.id or not answer.flags & dns.flags.QR or len(answer.question) != 1:
        return None
    asked, told = query.question[0], answer.question[0]
    same = told.rdtype == asked.rdtype and told.rdclass == RdataClass.IN and told.name.labels == asked.name.labels
    return answer if same else None
