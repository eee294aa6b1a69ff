"""Ranges of addresses and ports as a traffic filter writes them (ETSI GS MEC 011 V3.1.1, 7.1.5.2)."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network
from typing import NamedTuple

from hanse.kit.problems import bad_request

_LAST_PORT = 65535


class AddressRange(NamedTuple):
    """Addresses of one IP version from ``low`` to ``high``, both included, as numbers."""

    version: int
    low: int
    high: int

    @property
    def size(self) -> int:
        """How many addresses it has."""
        return self.high - self.low + 1

    def has(self, version: int, address: int) -> bool:
        """Whether it contains the address."""
        return version == self.version and self.low <= address <= self.high

    def addresses(self) -> list[str]:
        """Every address, written out; for small IPv4 ranges."""
        return [str(IPv4Address(n)) for n in range(self.low, self.high + 1)]


class PortRange(NamedTuple):
    """Ports from ``low`` to ``high``, both included."""

    low: int
    high: int

    @property
    def size(self) -> int:
        """How many ports it has."""
        return self.high - self.low + 1

    def has(self, port: int) -> bool:
        """Whether it contains the port."""
        return self.low <= port <= self.high

    def ports(self) -> range:
        """Every port."""
        return range(self.low, self.high + 1)


def address_range(text: str, field: str) -> AddressRange:
    """Read ``a.b.c.d``, ``a.b.c.d/len`` or ``a.b.c.d-a.b.c.e`` (IPv6 likewise); 400 names ``field`` if it is none."""
    try:
        if "/" in text:
            network = ip_network(text.strip(), strict=False)
            return AddressRange(network.version, int(network[0]), int(network[-1]))
        first, dash, last = text.partition("-")
        low = ip_address(first.strip())
        high = ip_address(last.strip()) if dash else low
    except ValueError:
        raise bad_request(f"{field} is not an address", _ADDRESS_HINT.format(text)) from None
    if low.version != high.version or int(low) > int(high):
        raise bad_request(f"{field} is not a range of addresses", _ADDRESS_HINT.format(text))
    return AddressRange(low.version, int(low), int(high))


def port_range(text: str, field: str) -> PortRange:
    """Read ``80`` or ``8000-8010``; 400 names ``field`` if it is neither."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    bounds = [first, last] if dash else [first, first]
    if not all(b.isascii() and b.isdigit() and len(b) <= 5 for b in bounds):
        raise bad_request(f"{field} is not a port", _PORT_HINT.format(text))
    low, high = (int(b) for b in bounds)
    if not 0 < low <= high <= _LAST_PORT:
        raise bad_request(f"{field} is not a range of ports", _PORT_HINT.format(text))
    return PortRange(low, high)


_ADDRESS_HINT = "write 127.9.0.5, 127.9.0.0/24 or 127.9.0.5-127.9.0.9, the lower address first; got {!r}"
_PORT_HINT = "write 80 or 8000-8010, between 1 and 65535, the lower port first; got {!r}"
