"""Messages of GTP-U version 1, read and written (3GPP TS 29.281, 5 to 8; TS 38.415, 5.5.2; pure)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from ipaddress import ip_address
from typing import NamedTuple

PORT = 2152
"""Where tunnel ends listen (4.4.2)."""

_VERSION_1, _EXTENDED, _NUMBERED, _OPTIONAL = 0x30, 0x04, 0x02, 0x07
_PDU_SESSION_CONTAINER = 0x85
_DOWN, _UP = 0x00, 0x10
_MUST_UNDERSTAND = 0x80
_RECOVERY, _TEID_DATA, _PEER_ADDRESS, _EXTENSION_TYPES = 14, 16, 133, 141
_HEADER = struct.Struct(">BBHI")


class Kind(IntEnum):
    """Types of message (6.1)."""

    ECHO_REQUEST = 1
    ECHO_RESPONSE = 2
    ERROR_INDICATION = 26
    SUPPORTED_EXTENSIONS = 31
    END_MARKER = 254
    G_PDU = 255


class Message(NamedTuple):
    """A message: ``payload`` is the packet of a G-PDU, the information elements of others.

    ``qfi``: the QoS flow of a PDU session container (0 to 63); ``strange``: extension headers that whoever receives it
    would have to understand, and this end does not.
    """

    kind: int
    teid: int
    payload: memoryview
    sequence: int = 0
    qfi: int | None = None
    strange: tuple[int, ...] = ()


class Malformed(ValueError):
    """No message of GTP-U version 1."""


def read(datagram: bytes) -> Message:
    """Read a datagram; `Malformed` if it is no whole message. What follows the message is ignored."""
    if len(datagram) < 8:
        raise Malformed("shorter than a header")
    flags, kind, length, teid = _HEADER.unpack_from(datagram)
    if flags & 0xF0 != _VERSION_1:
        raise Malformed("not version 1 of GTP")
    body = memoryview(datagram)[8 : 8 + length]
    if len(body) < length:
        raise Malformed("cut off")
    if not flags & _OPTIONAL:
        return Message(kind, teid, body)
    if length < 4:
        raise Malformed("its optional fields are missing")
    sequence = int.from_bytes(body[:2], "big") if flags & _NUMBERED else 0
    first = body[3] if flags & _EXTENDED else 0
    at, qfi, strange = 4, None, []
    for extension, content, end in _extensions(body, first):
        at = end
        if extension == _PDU_SESSION_CONTAINER:
            qfi = content[1] & 0x3F
        elif extension & _MUST_UNDERSTAND:
            strange.append(extension)
    return Message(kind, teid, body[at:], sequence, qfi, tuple(strange))


def _extensions(body: memoryview, kind: int) -> Iterator[tuple[int, memoryview, int]]:
    """Each extension header: its type, its content, and where it ends (5.2)."""
    at = 4
    while kind:
        size = 4 * body[at] if at < len(body) else 0
        if not size or at + size > len(body):
            raise Malformed("an extension header is cut off")
        yield kind, body[at + 1 : at + size - 1], at + size
        at += size
        kind = body[at - 1]


def g_pdu(teid: int, packet: bytes | memoryview, qfi: int | None = None, *, up: bool = False) -> bytes:
    """A packet in a tunnel, with the QoS flow in a PDU session container, if it has one; ``up``: towards the core."""
    if qfi is None:
        return _HEADER.pack(_VERSION_1, Kind.G_PDU, len(packet), teid) + packet
    container = bytes((0, 0, 0, _PDU_SESSION_CONTAINER, 1, _UP if up else _DOWN, qfi, 0))
    return _HEADER.pack(_VERSION_1 | _EXTENDED, Kind.G_PDU, len(packet) + 8, teid) + container + packet


def echo_response(sequence: int) -> bytes:
    """The answer to an echo request; its restart counter is 0 (7.2.2, 8.2)."""
    return _signal(Kind.ECHO_RESPONSE, sequence, bytes((_RECOVERY, 0)))


def error_indication(teid: int, own: str) -> bytes:
    """That no tunnel of this TEID ends at ``own``, where the G-PDU was sent (7.3.1)."""
    address = ip_address(own).packed
    elements = struct.pack(">BIBH", _TEID_DATA, teid, _PEER_ADDRESS, len(address))
    return _signal(Kind.ERROR_INDICATION, 0, elements + address)


def supported_extensions(sequence: int) -> bytes:
    """Which extension headers this end understands (7.2.3)."""
    return _signal(Kind.SUPPORTED_EXTENSIONS, sequence, bytes((_EXTENSION_TYPES, 1, _PDU_SESSION_CONTAINER)))


def _signal(kind: Kind, sequence: int, elements: bytes) -> bytes:
    """Signalling goes by TEID 0 and has a number (5.1)."""
    fields = struct.pack(">HBB", sequence, 0, 0)
    return _HEADER.pack(_VERSION_1 | _NUMBERED, kind, len(elements) + 4, 0) + fields + elements
