"""Talking to nftables in the plane's namespace: one call, one transaction (nft(8), libnftables-json(5))."""

from __future__ import annotations

import asyncio
from ipaddress import ip_interface
from typing import Any

import msgspec

from hanse.drivers.dataplane_nftables import conntrack
from hanse.drivers.dataplane_nftables.base import base, tunnel_base
from hanse.drivers.dataplane_nftables.frames import FRAME_BASE
from hanse.drivers.dataplane_nftables.namespaces import run
from hanse.drivers.dataplane_nftables.phrases import Json
from hanse.drivers.dataplane_nftables.site import Site
from hanse.kit.failpoints import effect


class Kernel:
    """The tables of one plane."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def start(self) -> None:
        """Put the tables in force without rules; no flow is known."""
        own = [str(ip_interface(at).ip) for at in self._site.own]
        site, devices = self._site, sorted(self._site.interfaces.values())
        said = base(own, site.names, [site.home_link], devices)
        if site.tunnelled:
            links = [site.home_link, *(site.links[name] for name in site.tunnelled)]
            said += tunnel_base(links, site.tunnel_ends)
        await self._nft(["-f", "-"], said + FRAME_BASE)
        await asyncio.to_thread(conntrack.begin, self._site.plane_space)

    @effect("data_plane.tell")
    async def tell(self, commands: list[Json]) -> None:
        """Carry out commands, all or none; 500 with nft's own words."""
        if commands:
            await self._nft(["-j", "-f", "-"], msgspec.json.encode({"nftables": commands}).decode())

    async def listed(self) -> list[dict[str, Any]]:
        """What counts: the sets of numbers, and the counters of taps."""
        found: list[dict[str, Any]] = []
        for what in (["sets", "inet"], ["counters", "netdev"]):
            answer = await self._nft(["-j", "list", *what])
            found += msgspec.json.decode(answer)["nftables"]
        return found

    async def _nft(self, words: list[str], said: str = "") -> str:
        return await run(["nft", *words], said, self._site.plane_space)
