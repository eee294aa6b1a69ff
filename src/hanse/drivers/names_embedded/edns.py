"""What a message says beside its question: walked record by record, down to the options of EDNS (RFC 6891, 6.1).

Options that we do not carry out are skipped unread, as RFC 6891 (6.1.2) wants it: what is wrong inside them is no
matter of ours. Of a version of EDNS that we do not know no option is looked at at all.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import dns.exception
from dns.name import Name, root
from dns.wire import Parser

from hanse.drivers.names_embedded.clients import NOBODY, Client, subnet
from hanse.drivers.names_embedded.query import PAYLOAD

_OPTION = struct.Struct("!HH")
_SUBNET = struct.Struct("!HBB")
_OPT = struct.Struct("!BHHIH")
_OPT_TYPE, _CLIENT_SUBNET, _ADDITIONAL = 41, 8, 3
_SIGNED = 0x8000


class BadMessage(Exception):
    """What deserves the answer FORMERR."""


class Edns(NamedTuple):
    """The record OPT of a query: bytes that the asker takes, version, the flag DO, and its options as they stand."""

    payload: int
    version: int
    signed: bool
    options: bytes


class Subnet(NamedTuple):
    """The option EDNS Client Subnet: its bytes, which an answer repeats but for the scope, and the client it means."""

    told: bytes
    client: Client


class Walk(NamedTuple):
    """The first record OPT (``None``: there is none), and whether all is well formed."""

    edns: Edns | None
    good: bool


def walk(wire: bytes) -> Walk:
    """Through a message of at least twelve bytes, as far as it goes: the answer to a bad one has EDNS too."""
    first, good = None, True
    try:
        for section, owner, kind, edns in _records(Parser(wire)):
            if kind == _OPT_TYPE:
                good = good and first is None and section == _ADDITIONAL and owner == root
                first = first or edns
    except (dns.exception.DNSException, ValueError):
        good = False
    return Walk(first, good)


def client_subnet(edns: Edns) -> Subnet | None:
    """The client that the asker asks for, if it says; raises `BadMessage` for what RFC 7871 (6, 7.1.2) forbids.

    Family 0 with no bits, which some send for "say nothing of my client", is taken as that.
    """
    found = [octets for code, octets in _options(edns.options) if code == _CLIENT_SUBNET]
    if not found:
        return None
    if len(found) > 1 or len(found[0]) < _SUBNET.size:
        raise BadMessage
    family, known, scope = _SUBNET.unpack_from(found[0])
    octets = found[0][_SUBNET.size :]
    client = NOBODY if not (family or known or octets) else subnet(family, known, octets)
    if client is None or scope:
        raise BadMessage
    return Subnet(found[0], client)


def answered(told: Subnet, scope: int) -> bytes:
    """The option in an answer that is good for ``scope`` bits of the client."""
    return told.told[:3] + bytes([scope if told.client.known else 0]) + told.told[4:]


def opt(edns: Edns, code: int = 0) -> bytes:
    """The record OPT of an answer without options: the flag DO comes back (RFC 3225, 3), no unknown one does."""
    return _OPT.pack(0, _OPT_TYPE, PAYLOAD, code >> 4 << 24 | (_SIGNED if edns.signed else 0), 0)


def _records(parser: Parser) -> Iterator[tuple[int, Name, int, Edns]]:
    """Section, owner, type and contents of all records; raises at what is cut, and for bytes after the last."""
    _, _, questions, *counts = parser.get_struct("!6H")
    for _ in range(questions):
        parser.get_name()
        parser.get_struct("!HH")
    for section, count in enumerate(counts, 1):
        for _ in range(count):
            owner = parser.get_name()
            kind, payload, extended, length = parser.get_struct("!HHIH")
            edns = Edns(payload, extended >> 16 & 0xFF, bool(extended & _SIGNED), parser.get_bytes(length))
            yield section, owner, kind, edns
    if parser.remaining():
        raise dns.exception.FormError


def _options(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(octets):
        if at + _OPTION.size > len(octets):
            raise BadMessage
        code, length = _OPTION.unpack_from(octets, at)
        at += _OPTION.size + length
        if at > len(octets):
            raise BadMessage
        yield code, octets[at - length : at]
