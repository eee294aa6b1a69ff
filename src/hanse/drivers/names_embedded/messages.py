"""DNS messages in and out: what is answered to each query, and to what is none (RFC 1035, RFC 6891). No socket here."""

from __future__ import annotations

import struct

import dns.exception
import dns.flags
import dns.message
from dns.message import Message, QueryMessage
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from hanse.drivers.names_embedded.zones import Zones

PAYLOAD = 1232
"""The largest UDP answer that we send and the size that we announce; it passes everywhere unfragmented."""

_PLAIN_PAYLOAD = 512
_HEADER = struct.Struct("!HHHHHH")
_TRANSFERS = (RdataType.AXFR, RdataType.IXFR)


def read(wire: bytes) -> QueryMessage | bytes | None:
    """The query in a message; or the bytes of the error to answer; or ``None`` for what deserves no answer."""
    if len(wire) < _HEADER.size:
        return None
    _, flags, questions, *_ = _HEADER.unpack_from(wire)
    if flags & dns.flags.QR:
        return None  # an answer to an answer could go on for ever
    if flags >> 11 & 0xF != Opcode.QUERY:
        return error(wire, Rcode.NOTIMP)
    if questions != 1:
        return error(wire, Rcode.FORMERR)
    try:
        message = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError, struct.error, IndexError):
        return error(wire, Rcode.FORMERR)
    return message if isinstance(message, QueryMessage) and message.question else error(wire, Rcode.FORMERR)


def error(wire: bytes, code: Rcode) -> bytes:
    """A header with an error code, for a message of at least twelve bytes that need not be readable."""
    identifier, flags, *_ = _HEADER.unpack_from(wire)
    kept = flags & (0x7800 | dns.flags.RD)
    return _HEADER.pack(identifier, dns.flags.QR | kept | code, 0, 0, 0, 0)


def respond(query: QueryMessage, zones: Zones) -> Message | None:
    """The answer out of our zones; ``None`` if the name is in none of them."""
    question = query.question[0]
    if query.edns > 0:
        return refuse(query, Rcode.BADVERS)
    if question.rdclass != RdataClass.IN or question.rdtype in _TRANSFERS:
        return refuse(query, Rcode.REFUSED)
    found = zones.find(question.name, question.rdtype)
    if found is None:
        return None
    response = _response(query)
    response.flags |= dns.flags.AA
    response.set_rcode(found.code)
    response.answer.extend(found.records)
    response.authority.extend(found.authority)
    return response


def refuse(query: QueryMessage, code: Rcode) -> Message:
    """An answer that has a code and nothing else."""
    response = _response(query)
    response.set_rcode(code)
    return response


def relay(query: QueryMessage, answer: Message) -> Message:
    """The answer of another server, as an answer to our query."""
    response = _response(query)
    response.flags |= dns.flags.RA
    response.set_rcode(answer.rcode())
    response.answer.extend(answer.answer)
    response.authority.extend(answer.authority)
    return response


def onward(query: QueryMessage) -> QueryMessage:
    """The same question with an identifier of ours, for another server."""
    question = query.question[0]
    return dns.message.make_query(question.name, question.rdtype, question.rdclass, use_edns=0, payload=PAYLOAD)


def udp_limit(query: QueryMessage) -> int:
    """How many bytes the asker takes in one datagram."""
    return _PLAIN_PAYLOAD if query.edns < 0 else max(_PLAIN_PAYLOAD, min(query.payload, PAYLOAD))


def render(response: Message, most: int) -> bytes:
    """The bytes of an answer; one that is longer than ``most`` is cut and says so (TC)."""
    return response.to_wire(max_size=most, prefer_truncation=True)


def _response(query: QueryMessage) -> Message:
    response = dns.message.make_response(query, our_payload=PAYLOAD)
    if query.ednsflags & dns.flags.DO:
        response.want_dnssec(True)
    return response
