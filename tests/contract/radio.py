"""A data plane with base stations: a device behind one, whose packets come and go in GTP-U."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import replace

from hanse.drivers.dataplane_nftables import AccessNetwork, Bearer, NftablesDataPlane
from hanse.drivers.dataplane_nftables.namespaces import batch
from hanse.refpoints.mp2 import DataPlane, Forwarding, RuleCounters, TrafficMatch
from tests.bounds import SOON
from tests.contract.grounds import PORT, Namespaces, answered, connected, rule


class Radio(Namespaces):
    """With an access network of base stations; ``ue`` is a device there, ``mast`` its base station."""

    plane_end, mast, other_mast = "10.64.3.1", "10.64.3.20", "10.64.3.21"
    ue, ue6, other_ue = "10.64.8.10", "fd00:64:8::10", "10.64.8.11"
    core = "10.65.1.50"

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        radio = AccessNetwork("radio", (f"{self.plane_end}/24",), ("10.64.8.0/24", "fd00:64:8::/48"))
        self.site = replace(self.site, access=(*self.site.access, radio))
        self.nftables = NftablesDataPlane(self.site)
        self.plane: DataPlane = self.nftables
        self.usual = bearer(0x1001, 0x2001, (self.ue, f"{self.ue6}/64"), 9)
        self.voice = bearer(0x1002, 0x2002, (self.ue, f"{self.ue6}/64"), 1)

    async def start(self) -> None:
        await super().start()
        for name, address in (("mast", self.mast), ("mast2", self.other_mast)):
            await self.nftables.ground.attach(name, "radio", (f"{address}/24",))
        await batch([f"netns add {self.site.device_space('ue')}"])
        await self.nftables.bear([self.usual, self.voice])

    def space(self, at: str) -> str:
        places = {self.mast: "mast", self.other_mast: "mast2", self.ue: "ue", self.ue6: "ue", self.other_ue: "ue"}
        return self.site.device_space(places[at]) if at in places else super().space(at)


def bearer(up: int, down: int, addresses: tuple[str, ...], qci: int, **more: int) -> Bearer:
    """A bearer by the first mast."""
    return Bearer(
        network="radio", base_station=Radio.mast, teid_up=up, teid_down=down, addresses=addresses, qci=qci, **more
    )


def udp(radio: Radio, **asks: object) -> TrafficMatch:
    """Datagrams to the virtual address, and what else the filter asks."""
    virtual, port = (radio.virtual,), (str(PORT),)
    return TrafficMatch(dst_address=virtual, dst_port=port, protocol=("udp",), **asks)  # type: ignore[arg-type]


def to_app(radio: Radio, rule_id: str = "r", address: str = "", **asks: object) -> Forwarding:
    """Devices that dial the virtual address, and what else the filter asks, reach an application."""
    match = TrafficMatch(dst_address=(radio.virtual,), dst_port=(str(PORT),), **asks)  # type: ignore[arg-type]
    return rule(radio, rule_id, matches=(match,), to_address=address or radio.app)


async def said_to(radio: Radio, words: bytes = b"", port: int = 0, patience: float = SOON) -> bytes:
    """What the device behind the base station hears on a connection to the virtual address."""
    return await answered(await connected(radio.socket(radio.ue, port), (radio.virtual, PORT)), words, patience)


async def counters(radio: Radio, rule_id: str = "r") -> RuleCounters:
    """What passed by one rule."""
    return {c.rule_id: c for c in await radio.plane.counters()}[rule_id]


async def tunnels_counted(radio: Radio, **expected: int) -> None:
    """Wait until the end of tunnels has counted just this: it carries, and counts, by itself."""
    found: dict[str, int] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SOON):
            while expected.items() - found.items():
                await asyncio.sleep(0.02)
                found = await radio.nftables.tunnel_counts()
    assert not expected.items() - found.items(), f"counted {found}, not {expected}"


async def said(sock: socket.socket, patience: float = SOON) -> bytes:
    """The next datagram."""
    async with asyncio.timeout(patience):
        return await asyncio.get_running_loop().sock_recv(sock, 2000)
