"""DNS messages in and out: what is answered to each query, and to what is none (RFC 1035, RFC 6891). No socket here."""

from __future__ import annotations

import struct

import dns.edns
import dns.exception
import dns.flags
import dns.message
from dns.message import Message, QueryMessage
from dns.name import Name
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from hanse.drivers.names_embedded.answers import find
from hanse.drivers.names_embedded.clients import Client, device
from hanse.drivers.names_embedded.query import PAYLOAD, PLAIN_PAYLOAD, name_end
from hanse.drivers.names_embedded.zones import Zones

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
    good = isinstance(message, QueryMessage) and message.question and _subnets_well_written(message, wire)
    return message if good else error(wire, Rcode.FORMERR)  # type: ignore[return-value]


def error(wire: bytes, code: Rcode) -> bytes:
    """A header with an error code, for a message of at least twelve bytes that need not be readable."""
    identifier, flags, *_ = _HEADER.unpack_from(wire)
    kept = flags & (0x7800 | dns.flags.RD)
    return _HEADER.pack(identifier, dns.flags.QR | kept | code, 0, 0, 0, 0)


def cut(wire: bytes) -> bytes | None:
    """The answer "ask again by TCP" to a query: no longer than that was. ``None`` for what is no plain question."""
    if len(wire) < _HEADER.size or wire[2] & 0xF8:
        return None
    end = name_end(wire)
    if not end or len(wire) < end + 4:
        return None
    identifier, flags, *_ = _HEADER.unpack_from(wire)
    return _HEADER.pack(identifier, dns.flags.QR | dns.flags.TC | flags & dns.flags.RD, 1, 0, 0, 0) + wire[12 : end + 4]


def respond(query: QueryMessage, zones: Zones, address: str) -> tuple[Message | None, Name | None]:
    """The answer out of our zones to a client; ``None`` if the name is in none of them.

    Beside it stands the canonical name at which the answer goes on elsewhere, if it does.
    """
    question = query.question[0]
    if query.edns > 0:
        return refuse(query, Rcode.BADVERS), None
    if question.rdclass != RdataClass.IN or question.rdtype in _TRANSFERS:
        return refuse(query, Rcode.REFUSED), None
    subnet = _subnet(query)
    client = device(address) if subnet is None or not subnet.srclen else _client(subnet)
    found = find(zones, question.name, question.rdtype, client)
    if found is None:
        return None, None
    response = _response(query, found.scope)
    response.flags |= dns.flags.AA
    response.set_rcode(found.code)
    response.answer.extend(found.records)
    response.authority.extend(found.authority)
    follow = question.rdtype not in (RdataType.CNAME, RdataType.ANY)
    return response, found.alias if follow else None


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


def udp_limit(query: QueryMessage) -> int:
    """How many bytes the asker takes in one datagram."""
    return PLAIN_PAYLOAD if query.edns < 0 else max(PLAIN_PAYLOAD, min(query.payload, PAYLOAD))


def render(response: Message, most: int) -> bytes:
    """The bytes of an answer; one that is longer than ``most`` is cut and says so (TC)."""
    return response.to_wire(max_size=most, prefer_truncation=True)


def _response(query: QueryMessage, scope: int = 0) -> Message:
    """An empty answer: the flag DO comes back (RFC 3225, 3), the client's subnet with the scope; nothing unknown."""
    response = dns.message.make_response(query, our_payload=PAYLOAD)
    subnet = _subnet(query)
    if query.edns >= 0:
        known = [dns.edns.ECSOption(subnet.address, subnet.srclen, scope if subnet.srclen else 0)] if subnet else []
        response.use_edns(0, query.ednsflags & dns.flags.DO, PAYLOAD, options=list[dns.edns.Option](known))
    return response


def _subnet(query: QueryMessage) -> dns.edns.ECSOption | None:
    return next((option for option in query.options if isinstance(option, dns.edns.ECSOption)), None)


def _client(subnet: dns.edns.ECSOption) -> Client:
    whole = device(subnet.address)
    spare = whole.bits - subnet.srclen
    return Client(whole.bits, whole.value >> spare << spare, subnet.srclen)


def _subnets_well_written(message: QueryMessage, wire: bytes) -> bool:
    """At most one, with scope 0, in the bytes that it must have: no address bits beyond the prefix (RFC 7871, 6)."""
    options = [option for option in message.options if isinstance(option, dns.edns.ECSOption)]
    if not options:
        return True
    [first, *more] = options
    if more or first.scopelen or first.srclen > (128 if ":" in first.address else 32):
        return False
    written = first.to_wire() or b""
    return struct.pack("!HH", dns.edns.OptionType.ECS, len(written)) + written in wire
