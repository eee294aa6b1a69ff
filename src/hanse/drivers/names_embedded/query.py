"""A plain query for records, read byte by byte (RFC 1035, 4.1; RFC 6891, 6.1; RFC 7871, 6)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from hanse.drivers.names_embedded.clients import Client, subnet

PAYLOAD = 1232
"""The largest UDP answer that we send and the size that we announce; it passes everywhere unfragmented."""

PLAIN_PAYLOAD = 512
"""The largest UDP answer to one who announces nothing (RFC 1035, 4.2.1)."""

_UNUSUAL = frozenset((0, 2, 5, 6, 41, *range(249, 256)))
"""Types with an answer of their own: NS, CNAME, SOA, and those that no record has (RFC 6895, 3.1)."""

_TWO = struct.Struct("!HH")
_OPT = struct.Struct("!BHHBBHH")
OPT_SIZE = _OPT.size
"""Bytes of a record OPT before its options."""
_SUBNET = struct.Struct("!HHHBB")
_PLAIN = (b"\x00\x01\x00\x00\x00\x00\x00\x00", b"\x00\x01\x00\x00\x00\x00\x00\x01")
_MOST_NAME = 255
_CLIENT_SUBNET = 8


class Query(NamedTuple):
    """A question for ``name`` (as on the wire, lower case) and ``kind``, which ends at byte ``end`` of the message.

    ``limit``: bytes that an answer may have with EDNS, ``None`` without; ``signed``: the flag DO; ``subnet``: the
    client that the asker asks for.
    """

    name: bytes
    kind: int
    end: int
    limit: int | None
    signed: bool
    subnet: Client | None


def read(wire: bytes) -> Query | None:
    """The query in a message; ``None`` if it is anything but plain."""
    if len(wire) < 17 or wire[2] & 0xFE or wire[4:12] not in _PLAIN:
        return None
    end = name_end(wire)
    if not end or len(wire) < end + 4:
        return None
    kind, network = _TWO.unpack_from(wire, end)
    if network != 1 or kind in _UNUSUAL:
        return None
    name = wire[12:end].lower()
    if wire[11]:
        return _with_edns(wire, name, kind, end + 4)
    return Query(name, kind, end + 4, None, False, None) if len(wire) == end + 4 else None


def name_end(wire: bytes) -> int:
    """The byte after the name of the question; 0 if it is no name, or has a pointer."""
    at, last = 12, len(wire) - 1
    while at <= last:
        length = wire[at]
        at += 1 + length
        if not length:
            return at if at - 12 <= _MOST_NAME else 0
        if length > 63:
            return 0
    return 0


def _with_edns(wire: bytes, name: bytes, kind: int, end: int) -> Query | None:
    length = len(wire) - end - OPT_SIZE
    if length < 0:
        return None
    root, record, payload, code, version, flags, told = _OPT.unpack_from(wire, end)
    if root or record != 41 or code or version or told != length:
        return None
    limit = PAYLOAD if payload >= PAYLOAD else max(PLAIN_PAYLOAD, payload)
    if not length:
        return Query(name, kind, end, limit, flags >= 0x8000, None)
    client = _only_subnet(wire, end + OPT_SIZE, length)
    return client and Query(name, kind, end, limit, flags >= 0x8000, client)


def _only_subnet(wire: bytes, at: int, length: int) -> Client | None:
    """The client, if it is the only option, and well written."""
    if length < 8:
        return None
    code, size, family, known, scope = _SUBNET.unpack_from(wire, at)
    if code != _CLIENT_SUBNET or size != length - 4 or scope:
        return None
    return subnet(family, known, wire[at + 8 :])
