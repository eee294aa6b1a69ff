"""What a tunnel end reads of the packets that it carries: whose they are, and of which flow (pure)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import NamedTuple

IPV4, IPV6 = b"\x08\x00", b"\x86\xdd"
"""Types of Ethernet frames."""

_WITH_PORTS = (6, 17, 132)


class Packet(NamedTuple):
    """Source and destination as keys of `owner`, and ``flow``: what the packets of one flow and direction share."""

    ethertype: bytes
    src: bytes
    dst: bytes
    flow: tuple[bytes, bytes, int, bytes, bytes]

    @property
    def answers(self) -> tuple[bytes, bytes, int, bytes, bytes]:
        """The flow of the other direction."""
        src, dst, protocol, sport, dport = self.flow
        return dst, src, protocol, dport, sport


def owner(address: str) -> bytes:
    """The key under which a device is known: its IPv4 address, or the 64 bits that are its own of IPv6.

    ValueError if it is neither an address nor a network of one device.
    """
    network = ip_network(address, strict=False)
    if network.version == 4:
        if network.prefixlen != 32:
            raise ValueError(f"{address} is not one IPv4 address")
        return network[0].packed
    if network.prefixlen < 64:
        raise ValueError(f"{address} is more than one IPv6 network of 64 bits")
    return network[0].packed[:8]


def read(packet: bytes | memoryview) -> Packet | None:
    """What a packet says, or ``None`` if it is no whole IP header."""
    version = packet[0] >> 4 if len(packet) else 0
    if version == 4 and len(packet) >= 20:
        src, dst, protocol = bytes(packet[12:16]), bytes(packet[16:20]), packet[9]
        fragment = packet[6] & 0x1F or packet[7]
        return Packet(IPV4, src, dst, _flow(src, dst, protocol, packet, 0 if fragment else 4 * (packet[0] & 15)))
    if version == 6 and len(packet) >= 40:
        src, dst, protocol = bytes(packet[8:24]), bytes(packet[24:40]), packet[6]
        return Packet(IPV6, src[:8], dst[:8], _flow(src, dst, protocol, packet, 40))
    return None


def _flow(
    src: bytes, dst: bytes, protocol: int, packet: bytes | memoryview, ports: int
) -> tuple[bytes, bytes, int, bytes, bytes]:
    if not ports or protocol not in _WITH_PORTS:
        return src, dst, protocol, b"", b""
    return src, dst, protocol, bytes(packet[ports : ports + 2]), bytes(packet[ports + 2 : ports + 4])
