"""DNS messages in and out: what is answered to each query, and to what is none (RFC 1035, RFC 6891). No socket here."""

from __future__ import annotations

import struct
from typing import NamedTuple

import dns.edns
import dns.exception
import dns.flags
import dns.message
from dns.message import Message, QueryMessage
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from hanse.drivers.names_embedded import edns
from hanse.drivers.names_embedded.answers import Answer
from hanse.drivers.names_embedded.clients import Client, device
from hanse.drivers.names_embedded.edns import BadMessage, Edns, Subnet
from hanse.drivers.names_embedded.query import PAYLOAD, PLAIN_PAYLOAD, name_end
from hanse.drivers.names_embedded.query import read as plain_query

_HEADER = struct.Struct("!HHHHHH")
_ONE_QUESTION = b"\x00\x01" + bytes(6)
_OPCODE = 0x7800
_CUT = int(dns.flags.TC)

_NOT_OURS = {
    RdataType.AXFR: Rcode.REFUSED,
    RdataType.IXFR: Rcode.REFUSED,
    RdataType.MAILA: Rcode.NOTIMP,
    RdataType.MAILB: Rcode.NOTIMP,
    RdataType.OPT: Rcode.FORMERR,
    RdataType.TSIG: Rcode.FORMERR,
    RdataType.TKEY: Rcode.FORMERR,
    RdataType.NONE: Rcode.FORMERR,
}
"""Types of questions that no record has, and what is said to them."""


class Asked(NamedTuple):
    """A query that can be answered: its header and question, its EDNS, the client that it asks for."""

    query: QueryMessage
    edns: Edns | None
    subnet: Subnet | None

    def client(self, address: str) -> Client:
        """For whom the answer is: the subnet in the query, unless that hides everything; else who asks."""
        known = self.subnet is not None and self.subnet.client.known
        return self.subnet.client if self.subnet and known else device(address)

    def udp_limit(self) -> int:
        """How many bytes the asker takes in one datagram."""
        return PLAIN_PAYLOAD if self.edns is None else max(PLAIN_PAYLOAD, min(self.edns.payload, PAYLOAD))


def read(wire: bytes) -> Asked | bytes | None:
    """The query in a message; or the bytes of the error to answer; or ``None`` for what deserves no answer."""
    if len(wire) < _HEADER.size:
        return None
    _, flags, questions, *_ = _HEADER.unpack_from(wire)
    if flags & dns.flags.QR:
        return None  # an answer to an answer could go on for ever
    if flags & _OPCODE:
        return error(wire, Rcode.NOTIMP)
    if questions != 1:
        return error(wire, Rcode.FORMERR)
    question = _question(wire)
    told, good = edns.walk(wire)
    if not good or not question:
        return error(wire, Rcode.FORMERR)
    if told is not None and told.version:
        return error(wire, Rcode.BADVERS)
    try:
        query = dns.message.from_wire(wire[:4] + _ONE_QUESTION + question)
        subnet = edns.client_subnet(told) if told else None
    except (dns.exception.DNSException, ValueError, BadMessage):
        return error(wire, Rcode.FORMERR)
    assert isinstance(query, QueryMessage)
    wrong = refused(query)
    return Asked(query, told, subnet) if wrong is None else error(wire, wrong)


def refused(query: QueryMessage) -> Rcode | None:
    """What is said to a question that nobody gets an answer to; ``None`` for one that may have one."""
    asked = query.question[0]
    if asked.rdtype in _NOT_OURS:
        return _NOT_OURS[asked.rdtype]
    return None if asked.rdclass == RdataClass.IN else Rcode.REFUSED


def error(wire: bytes, code: Rcode, flags: int = 0) -> bytes:
    """An answer that has a code and no records, for a message of at least twelve bytes that need not be readable.

    It has the question, if that can be read, and EDNS, if the message has any (RFC 6891, 6.1.1): no byte more than
    the message.
    """
    _, theirs, questions, *_ = _HEADER.unpack_from(wire)
    told = edns.walk(wire).edns
    question = _question(wire) if questions == 1 and not theirs & _OPCODE else b""
    return _without_records(wire, question, edns.opt(told, code) if told else b"", flags | code & 0xF)


def _without_records(wire: bytes, question: bytes, extra: bytes, flags: int) -> bytes:
    identifier, theirs, *_ = _HEADER.unpack_from(wire)
    flags |= dns.flags.QR | theirs & (_OPCODE | dns.flags.RD)
    return _HEADER.pack(identifier, flags, bool(question), 0, 0, bool(extra)) + question + extra


def cut(wire: bytes) -> bytes | None:
    """The answer "ask again by TCP" to a query: no longer than that was. ``None`` for what is no plain question."""
    plain = plain_query(wire)
    if plain is not None:  # most of a flood is: to cut an answer must cost no more than to give one
        extra = b"" if plain.limit is None else edns.opt(Edns(0, 0, plain.signed, b""))
        return _without_records(wire, wire[12 : plain.end], extra, _CUT)
    if len(wire) < _HEADER.size or wire[2] & 0xF8 or not _question(wire):
        return None
    return error(wire, Rcode.NOERROR, _CUT)


def say(asked: Asked, answer: Answer, flags: int = 0) -> Message:
    """An answer as a message."""
    response = dns.message.make_response(asked.query)
    if asked.edns is not None:
        options: list[dns.edns.Option] = []
        if asked.subnet is not None:
            told = edns.answered(asked.subnet, answer.scope)
            options.append(dns.edns.GenericOption(dns.edns.OptionType.ECS, told))
        response.use_edns(0, dns.flags.DO if asked.edns.signed else 0, PAYLOAD, options=options)
    response.flags |= flags | (dns.flags.AA if answer.ours else 0)
    response.set_rcode(answer.code)
    response.answer.extend(answer.records)
    response.authority.extend(answer.authority)
    response.additional.extend(answer.additional)
    return response


def render(response: Message, most: int) -> bytes:
    """The bytes of an answer; one that is longer than ``most`` is cut and says so (TC)."""
    return response.to_wire(max_size=most, prefer_truncation=True)


def recursion_desired(asked: Asked) -> bool:
    """The flag RD: the asker wants names of others looked up."""
    return bool(asked.query.flags & dns.flags.RD)


def _question(wire: bytes) -> bytes:
    """The question, as it was asked; nothing if it cannot be read, or has a pointer: there is nowhere to point to."""
    end = name_end(wire)
    return wire[12 : end + 4] if end and len(wire) >= end + 4 else b""
