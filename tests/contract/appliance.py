"""A data plane whose application has an Ethernet address of its own on the link, and the virtual addresses."""

from __future__ import annotations

import socket

from hanse.drivers.dataplane_nftables.namespaces import batch, inside
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Ethernet, Forwarding
from tests.bounds import SOON
from tests.contract.grounds import PORT, Namespaces, answered, bound, connected, rule

APP, PLANE, OTHER = "02:00:5e:10:00:01", "02:00:5e:10:00:02", "02:00:5e:10:00:03"
EVERY_PROTOCOL = 0x0003


class Appliance(Namespaces):
    """The application lives in a namespace of its own, and answers to the Ethernet address that rules name."""

    @property
    def box(self) -> str:
        """Its namespace."""
        return f"{self.site.plane_space}.box"

    async def start(self) -> None:
        await super().start()
        await batch([f"netns add {self.box}"])
        link = f"link add link {self.site.home_link} name eth0 netns {self.box} address {APP} type macvlan mode bridge"
        await batch([link], self.site.home_space)
        given = [f"address add {self.virtual}/32 dev eth0", f"address add {self.virtual6}/128 dev eth0 nodad"]
        ways = [f"neighbour add {at} lladdr {PLANE} dev eth0 nud permanent" for at in ("10.65.9.9", "fe80::9")]
        ways += ["route add default via 10.65.9.9 dev eth0 onlink", "route add ::/0 via fe80::9 dev eth0 onlink"]
        await batch([*given, "link set lo up", "link set eth0 up", *ways], self.box)

    def within(self, at: str) -> socket.socket:
        """A socket of the application, at an address of its own."""
        with inside(self.box):
            return bound(at, PORT, socket.SOCK_STREAM)


def to_mac(spaces: Namespaces, **changes: object) -> Forwarding:
    """What devices send to the virtual address goes to the application's Ethernet address, from the plane's."""
    interface = Ethernet(dst_address=APP, src_address=PLANE)
    values: dict[str, object] = {"to_mac": interface, "to_address": ABSENT, "to_port": ABSENT}
    return rule(spaces, **(values | changes))  # type: ignore[arg-type]


async def told(spaces: Appliance, device: str, virtual: str) -> bytes:
    """What a device hears on a connection to a virtual address, after a word of its own."""
    return await answered(await connected(spaces.socket(device), (virtual, PORT)), b"by frame", SOON)


def frames_of(spaces: Appliance) -> socket.socket:
    """All frames on the link to applications."""
    with inside(spaces.site.home_space):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
        sock.bind((spaces.site.home_link, EVERY_PROTOCOL))
    sock.setblocking(False)
    return sock


def words(frames: socket.socket) -> list[tuple[str, str, bytes]]:
    """To whom, from whom and the word, of the datagrams that the plane sent since, whoever they are for."""
    found: list[tuple[str, str, bytes]] = []
    while True:
        try:
            frame, sender = frames.recvfrom(2000)
        except BlockingIOError:
            return found
        if frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP and sender[2] != socket.PACKET_OUTGOING:
            found.append((frame[:6].hex(":"), frame[6:12].hex(":"), frame[42:46]))
