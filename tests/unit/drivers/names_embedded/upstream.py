"""Another name server on a real socket, which does with each query what a test wants."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import dns.message
import dns.rrset
from dns.message import Message, QueryMessage
from dns.rcode import Rcode

from hanse.drivers.names_embedded import EmbeddedNames
from hanse.kit.ports import bind

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
UPSTREAM = f"{_BLOCK}.56"


def answer(query: QueryMessage, *records: str, code: Rcode = Rcode.NOERROR, authority: str = "") -> Message:
    found = dns.message.make_response(query)
    found.set_rcode(code)
    for text in records:
        owner, ttl, kind, *rest = text.split(" ")
        found.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, " ".join(rest)))
    if authority:
        owner, ttl, kind, *rest = authority.split(" ")
        found.authority.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, " ".join(rest)))
    return found


def texts(message: Message) -> list[str]:
    return [rdata.to_text() for rrset in message.answer for rdata in rrset]


class Upstream:
    """Says nothing until ``reply`` is set; ``queries`` are those that came, ``senders`` from where."""

    def __init__(self) -> None:
        self.socket = bind(UPSTREAM, 0, socket.SOCK_DGRAM)
        self.queries: list[QueryMessage] = []
        self.address = UPSTREAM, self.socket.getsockname()[1]
        self.senders: list[tuple[str, int]] = []
        self.reply: Callable[[QueryMessage], list[bytes]] = lambda query: []

    def serve(self) -> None:
        wire, sender = self.socket.recvfrom(4096)
        self.senders.append(sender)
        query = dns.message.from_wire(wire)
        assert isinstance(query, QueryMessage)
        self.queries.append(query)
        for each in self.reply(query):
            self.socket.sendto(each, sender)


def told(query: QueryMessage) -> list[bytes]:
    return [answer(query, f"{query.question[0].name} 60 A 127.3.0.1").to_wire()]


async def ask(names: EmbeddedNames, wire: bytes | Message, client: str = "127.9.0.1") -> Message:
    reply = names.reply(wire if isinstance(wire, bytes) else wire.to_wire(), client, True)
    assert reply is not None
    return dns.message.from_wire(reply if isinstance(reply, bytes) else await reply)


def near(*servers: tuple[str, int], zones: tuple[str, ...] = ("mec.example",)) -> EmbeddedNames:
    return EmbeddedNames("127.0.0.1", 0, zones=zones, forward=servers)
