"""One question to another server, defended against forgery (RFC 5452), and without EDNS where that is not understood.

Each question goes out from a socket of its own, hence from a port that the kernel chose at random, connected, so that
only that server's datagrams arrive; with a random id and random case of letters.
"""

from __future__ import annotations

import asyncio
import secrets
import socket

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
from dns.message import Message, QueryMessage
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from hanse.drivers.names_embedded.memory import bounded
from hanse.drivers.names_embedded.query import PAYLOAD
from hanse.drivers.names_embedded.trust import believed

MOST_FORGED = 16
"""Datagrams that answer something else, after which a question is asked by TCP: somebody guesses (RFC 5452, 9.3)."""

_MOST_BYTES = 65535
_PATIENCE_TCP = 5.0
_NOT_UNDERSTOOD = (Rcode.FORMERR, Rcode.NOTIMP, Rcode.BADVERS)


async def ask(server: tuple[str, int], name: Name, kind: RdataType) -> Message:
    """What a server (address, port) says of a name, as far as it is believed; whoever asks bounds the time.

    Raises ``OSError``, ``EOFError``, ``ValueError`` or ``DNSException`` if it says nothing that can be read.
    """
    query = question(name, kind)
    answer = await _exchange(server, query)
    if answer.rcode() in _NOT_UNDERSTOOD:  # an old server, perhaps, that knows no EDNS (RFC 6891, 6.2.2)
        query = question(name, kind, edns=False)
        answer = await _exchange(server, query)
    return bounded(believed(query, answer))


def question(name: Name, kind: RdataType, edns: bool = True) -> QueryMessage:
    """A question with a random id and each letter in random case, which an answer must repeat."""
    labels = [
        bytes(byte ^ 0x20 if chr(byte).isalpha() and byte < 128 and secrets.randbits(1) else byte for byte in label)
        for label in name.labels
    ]
    query = dns.message.make_query(Name(labels), kind, use_edns=0 if edns else -1, payload=PAYLOAD)
    query.id = secrets.randbits(16)
    return query


def matching(query: QueryMessage, wire: bytes) -> Message | None:
    """The answer to a question of ours, if it is one: the id, the question with its case; ``None`` for a forgery.

    One who did not understand the question need not repeat it.
    """
    answer = _answer(query, wire)
    if answer is None or (not answer.question and answer.rcode() in _NOT_UNDERSTOOD):
        return answer
    return answer if _same(query, answer) and answer.question[0].name.labels == query.question[0].name.labels else None


def respelled(query: QueryMessage, wire: bytes) -> bool:
    """Whether all is right but the case of letters: from a server that does not keep it, or a forger with much luck."""
    answer = _answer(query, wire)
    return answer is not None and _same(query, answer)


async def _exchange(server: tuple[str, int], query: QueryMessage) -> Message:
    answer = await _by_datagram(server, query)
    if answer is not None and not answer.flags & dns.flags.TC:
        return answer
    address, port = server
    return await dns.asyncquery.tcp(query, address, _PATIENCE_TCP, port)


async def _by_datagram(server: tuple[str, int], query: QueryMessage) -> Message | None:
    """``None`` where TCP must tell, which a forger who cannot listen has no chance with."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(server)
        await loop.sock_sendall(sock, query.to_wire())
        for _ in range(MOST_FORGED):
            wire = await loop.sock_recv(sock, _MOST_BYTES)
            answer = matching(query, wire)
            if answer is not None or respelled(query, wire):
                return answer
    return None


def _answer(query: QueryMessage, wire: bytes) -> Message | None:
    try:
        answer = dns.message.from_wire(wire, ignore_trailing=False)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None
    return answer if answer.id == query.id and answer.flags & dns.flags.QR else None


def _same(query: QueryMessage, answer: Message) -> bool:
    """Whether the one question is ours, in whatever case of letters."""
    if len(answer.question) != 1:
        return False
    asked, told = query.question[0], answer.question[0]
    return told.name == asked.name and told.rdtype == asked.rdtype and told.rdclass == RdataClass.IN
