"""Clients of the name server: devices by their address, and networks of them, as leading bits of an address."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import ip_network
from typing import NamedTuple

from hanse.kit.problems import bad_request


class Client(NamedTuple):
    """The first ``known`` bits of an address of ``bits`` (32 or 128); ``value`` is the whole address, the rest zero."""

    bits: int
    value: int
    known: int

    def prefix(self, length: int) -> int:
        """Its first ``length`` bits, as a number."""
        return self.value >> (self.bits - length)


_FAMILIES = {1: 32, 2: 128}

NOBODY = Client(0, 0, 0)
"""One of whom nothing is known: gets what is for everybody."""


def device(address: str) -> Client:
    """The client that has an IPv4 or IPv6 address; what cannot be read is `NOBODY`."""
    family, bits = (socket.AF_INET6, 128) if ":" in address else (socket.AF_INET, 32)
    try:
        return Client(bits, int.from_bytes(socket.inet_pton(family, address)), bits)
    except OSError:
        return NOBODY


def subnet(family: int, length: int, octets: bytes) -> Client | None:
    """A client as EDNS Client Subnet tells it; ``None`` for what RFC 7871 (6) forbids.

    ``family`` is 1 (IPv4) or 2 (IPv6); ``octets`` are as many as ``length`` bits need, and the bits beyond are zero.
    """
    bits, size = _FAMILIES.get(family, 0), len(octets)
    if length > bits or size != (length + 7) >> 3 or not bits:
        return None
    value = int.from_bytes(octets)
    if value & ((1 << (8 * size - length)) - 1):
        return None
    return Client(bits, value << (bits - 8 * size), length)


def networks(texts: Iterable[str]) -> tuple[Client, ...]:
    """The clients of a record: addresses and networks like ``10.1.0.0/16``; 400 names what is neither."""
    found = []
    for text in texts:
        try:
            network = ip_network(text)
        except ValueError as error:
            detail = f"write addresses and networks like 10.1.2.3, 10.1.0.0/16; {error}"
            raise bad_request("clients has no address or network", detail) from None
        found.append(Client(network.max_prefixlen, int(network.network_address), network.prefixlen))
    return tuple(dict.fromkeys(found))
