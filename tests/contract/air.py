"""A base station and other tunnel ends, by real sockets and a real interface.

What they say and read is written here anew, by 3GPP TS 29.281, so that it judges what the driver does.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from hanse.drivers.dataplane_nftables.namespaces import batch, inside
from tests.bounds import SOON
from tests.contract.radio import Radio

GTP = 2152
G_PDU, ECHO_REQUEST, ECHO_RESPONSE, ERROR_INDICATION, SUPPORTED_EXTENSIONS = 255, 1, 2, 26, 31
SESSION = 0x85
"""The extension header of a PDU session (5.2.1)."""
_TUN = 0x0001 | 0x1000
_SET_INTERFACE = 0x400454CA


def wrapped(teid: int, said: bytes, kind: int = G_PDU, flags: int = 0x30) -> bytes:
    """A message with the plain header (5.1)."""
    return struct.pack(">BBHI", flags, kind, len(said), teid) + said


class Heard(msgspec.Struct):
    """A message that came; ``said`` is what follows the header and its extensions."""

    kind: int
    teid: int
    sequence: int
    extensions: dict[int, bytes]
    said: bytes
    sender: tuple[str, int]


def heard(datagram: bytes, sender: tuple[str, int]) -> Heard:
    """Read a message (5.1, 5.2)."""
    flags, kind, length, teid = struct.unpack_from(">BBHI", datagram)
    assert flags >> 4 == 3, "version 1, GTP"
    assert length == len(datagram) - 8
    if not flags & 7:
        return Heard(kind, teid, 0, {}, datagram[8:], sender)
    sequence, _, following = struct.unpack_from(">HBB", datagram, 8)
    at, extensions = 12, {}
    while flags & 4 and following:
        end = at + 4 * datagram[at]
        extensions[following], following, at = datagram[at + 1 : end - 1], datagram[end - 1], end
    return Heard(kind, teid, sequence, extensions, datagram[at:], sender)


class End:
    """A tunnel end of others: a socket at a base station or in the core, which keeps what it hears."""

    def __init__(self, radio: Radio, at: str, port: int = GTP, to: str = Radio.plane_end) -> None:
        self.sock = radio.socket(at, port, socket.SOCK_DGRAM)
        self.to = (to, GTP)

    def send(self, teid: int, packet: bytes) -> None:
        """A packet in a tunnel."""
        self.sock.sendto(wrapped(teid, packet), self.to)

    async def hear(self, patience: float = SOON) -> Heard:
        """The next message."""
        async with asyncio.timeout(patience):
            return heard(*await asyncio.get_running_loop().sock_recvfrom(self.sock, 65535))

    def now(self) -> list[Heard]:
        """All messages that are there."""
        found = []
        while True:
            try:
                found.append(heard(*self.sock.recvfrom(65535)))
            except BlockingIOError:
                return found


class BaseStation(End):
    """Joins the namespace of a device to tunnels: ``choose`` makes the message for each packet of the device.

    What the kernel of the device says to its neighbours goes nowhere: it would be counted, whenever it comes.
    """

    def __init__(self, radio: Radio, port: int = GTP) -> None:
        super().__init__(radio, radio.mast, port)
        self.down: list[Heard] = []
        self.signals: list[Heard] = []
        self.choose: Callable[[bytes], bytes] = lambda packet: wrapped(radio.usual.teid_up, packet)
        self.radio = radio
        with inside(radio.space(radio.ue)):
            self.air = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.air, _SET_INTERFACE, struct.pack("16sH22x", b"air", _TUN))

    async def start(self) -> None:
        """Give the device its addresses and a way, and carry."""
        addresses = (f"{self.radio.ue}/24", f"{self.radio.other_ue}/24", f"{self.radio.ue6}/64")
        lines = ["link set lo up", "link set air mtu 1420 up"]
        lines += [f"address add {at} dev air{' nodad' if ':' in at else ''}" for at in addresses]
        lines += ["route add default dev air", "route add ::/0 dev air"]
        await batch(lines, self.radio.space(self.radio.ue))
        loop = asyncio.get_running_loop()
        loop.add_reader(self.air, self._up)
        loop.add_reader(self.sock.fileno(), self._down)

    def close(self) -> None:
        """Carry no more."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.air)
        loop.remove_reader(self.sock.fileno())
        os.close(self.air)
        self.sock.close()

    def _up(self) -> None:
        try:
            for _ in range(64):
                packet = os.read(self.air, 65535)
                if not _to_neighbours(packet):
                    self.sock.sendto(self.choose(packet), self.to)
        except BlockingIOError:
            return

    def _down(self) -> None:
        for found in self.now():
            if found.kind == G_PDU:
                self.down.append(found)
                os.write(self.air, found.said)
            else:
                self.signals.append(found)


def _to_neighbours(packet: bytes) -> bool:
    """Whether it is multicast of IPv6: who listens to what, and which routers there are."""
    return packet[0] >> 4 == 6 and packet[24] == 0xFF


@asynccontextmanager
async def on_air(radio: Radio, port: int = GTP) -> AsyncIterator[BaseStation]:
    """A base station that carries until the block ends."""
    mast = BaseStation(radio, port)
    await mast.start()
    try:
        yield mast
    finally:
        mast.close()


def udp4(src: str, dst: str, sport: int, dport: int, said: bytes) -> bytes:
    """A packet of IPv4 and UDP, whose checksum is left out."""
    udp = struct.pack(">HHHH", sport, dport, 8 + len(said), 0) + said
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    head += socket.inet_aton(src) + socket.inet_aton(dst)
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + head[12:] + udp


def answered(packet: bytes) -> bytes:
    """What answers to a packet of UDP: the same words back. Exchanging both ends keeps the checksums."""
    return packet[:12] + packet[16:20] + packet[12:16] + packet[22:24] + packet[20:22] + packet[24:]
