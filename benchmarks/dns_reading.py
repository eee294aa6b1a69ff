"""A query as the judge reads it: by the rules of the RFCs, one after the other, with no code of the server's."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import NamedTuple

import dns.exception
from dns.name import Name, root
from dns.rcode import Rcode
from dns.wire import Parser

_META = {0: Rcode.FORMERR, 41: Rcode.FORMERR, 249: Rcode.FORMERR, 250: Rcode.FORMERR} | {
    253: Rcode.NOTIMP,
    254: Rcode.NOTIMP,
    251: Rcode.REFUSED,
    252: Rcode.REFUSED,
}


class Opt(NamedTuple):
    """The first record OPT; ``subnet`` is the option EDNS client subnet, if there is one."""

    payload: int
    version: int
    flags: int
    subnet: bytes | None = None


class Query(NamedTuple):
    """What was read; ``error`` says why there is no answer, ``framed`` that all records could be told apart."""

    error: Rcode | None
    framed: bool = False
    opt: Opt | None = None
    identifier: int = 0
    flags: int = 0
    name: Name = root
    kind: int = 0
    client: str = ""


def read(wire: bytes) -> Query:
    """A message of at least twelve bytes that is no answer."""
    parser = Parser(wire)
    identifier, flags, questions, *counts = parser.get_struct("!6H")
    if flags & 0x7800:
        return Query(Rcode.NOTIMP)
    if questions != 1:
        return Query(Rcode.FORMERR)
    try:
        name = parser.get_name()
        kind, rdclass = parser.get_struct("!HH")
        found = list(_records(parser, counts))
    except (dns.exception.DNSException, ValueError):
        return Query(Rcode.FORMERR)
    opts = [(section, owner, opt, octets) for section, owner, record, opt, octets in found if record == 41]
    first = opts[0][2] if opts else None
    query = Query(None, True, first, identifier, flags, name, kind)
    if len(opts) > 1 or any(section != 2 or owner != root for section, owner, _, _ in opts):
        return query._replace(error=Rcode.FORMERR)
    plain = name.to_digestable()
    if wire[12 : 12 + len(plain)].lower() != plain:
        return query._replace(error=Rcode.FORMERR)
    if first is not None and first.version:
        return query._replace(error=Rcode.BADVERS)
    if opts:
        query = _with_subnet(query, opts[0][3])
    meta = _META.get(kind, None if rdclass == 1 else Rcode.REFUSED)
    return query._replace(error=meta) if query.error is None else query


def _records(parser: Parser, counts: list[int]) -> Iterator[tuple[int, Name, int, Opt, bytes]]:
    for section, count in enumerate(counts):
        for _ in range(count):
            owner = parser.get_name()
            record, payload, extended, length = parser.get_struct("!HHIH")
            yield section, owner, record, Opt(payload, extended >> 16 & 255, extended & 65535), parser.get_bytes(length)
    if parser.remaining():
        raise ValueError


def _with_subnet(query: Query, octets: bytes) -> Query:
    """The client subnet, read as RFC 7871 (6) describes it; what is wrong in other options is nobody's business."""
    found = []
    while octets:
        size = int.from_bytes(octets[2:4])
        if len(octets) < 4 + size:
            return query._replace(error=Rcode.FORMERR)
        if octets[:2] == b"\0\x08":
            found.append(octets[4 : 4 + size])
        octets = octets[4 + size :]
    if not found:
        return query
    client = _client(found[0])
    if len(found) > 1 or client is None:
        return query._replace(error=Rcode.FORMERR)
    assert query.opt is not None
    return query._replace(client=client, opt=query.opt._replace(subnet=found[0]))


def _client(option: bytes) -> str | None:
    """The network; nothing for one who hides it; ``None`` for what is wrong."""
    if option == bytes(4):
        return ""
    family, length, scope, address = int.from_bytes(option[:2]), option[2:3], option[3:4], option[4:]
    bits = {1: 32, 2: 128}.get(family, 0)
    if scope != b"\0" or length[0] > bits or len(address) != -(-length[0] // 8) or not bits:
        return None
    whole = int.from_bytes(address.ljust(bits // 8, b"\0"))
    try:
        network = ip_network((whole.to_bytes(bits // 8), length[0]))
    except ValueError:
        return None
    return str(network) if length[0] else ""
