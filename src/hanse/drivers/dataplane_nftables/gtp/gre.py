"""Packets in GRE, read and written (RFC 2784, 2; RFC 2890, 2; pure)."""

from __future__ import annotations

from hanse.drivers.dataplane_nftables.gtp.message import Malformed

PROTOCOL = 47
"""Its number in the header of IP."""
_CHECKSUM, _KEY, _SEQUENCE = 0x80, 0x20, 0x10
_KNOWN = _CHECKSUM | _KEY | _SEQUENCE
_MUST_BE_ZERO, _VERSION = 0x4C, 0x07


def read(said: bytes) -> memoryview:
    """The packet in it; `Malformed` if it is not whole, is not version 0, or has what this end does not know.

    Keys and sequence numbers, of which none were agreed on, are looked past.
    """
    if len(said) < 4:
        raise Malformed("shorter than a header")
    if said[0] & _MUST_BE_ZERO or said[1] & _VERSION:
        raise Malformed("routing, or another version of GRE")
    start = 4 + 4 * (said[0] & _KNOWN).bit_count()
    if len(said) < start:
        raise Malformed("cut off")
    if said[0] & _CHECKSUM and _sum(said) != 0xFFFF:
        raise Malformed("its checksum is wrong")
    return memoryview(said)[start:]


def wrapped(ethertype: bytes, packet: bytes | memoryview) -> bytes:
    """A packet, of IPv4 or IPv6 by the type of its frame, in the plain header."""
    return bytes(2) + ethertype + packet


def _sum(said: bytes) -> int:
    """The sum of all words, which is all ones if the checksum among them is right (RFC 1071)."""
    even = said + bytes(len(said) % 2)
    total = sum(memoryview(even).cast("H"))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
