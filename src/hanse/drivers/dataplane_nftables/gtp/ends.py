"""The tunnels of a plane: its bearers, and those by which rules send packets on; what their end is told of both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from ipaddress import ip_address, ip_interface
from itertools import count

import msgspec

from hanse.drivers.dataplane_nftables.gtp.bearer import Bearer, Bearers, Numbered, check
from hanse.drivers.dataplane_nftables.gtp.supervisor import Supervisor
from hanse.drivers.dataplane_nftables.gtp.table import Ends, told
from hanse.drivers.dataplane_nftables.names import FAR_END_DEVICE
from hanse.drivers.dataplane_nftables.site import Site
from hanse.kit.problems import bad_request


class Tunnels:
    """Of one site, which has access networks that are reached by GTP-U."""

    def __init__(self, site: Site) -> None:
        self.bearers = Bearers()
        self._site = site
        self._end = Supervisor(site.plane_space, list(site.tunnel_ends), [*site.tunnelled.values(), FAR_END_DEVICE])
        self._led: dict[int, Ends] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._next = count(1)
        self._telling = asyncio.Lock()

    async def start(self) -> None:
        """Start their end; 500 if it does not work."""
        await self._end.start()

    async def close(self) -> None:
        """End it."""
        await self._end.close()

    async def counts(self) -> dict[str, int]:
        """What the end carried and what it did not, by name."""
        return await self._end.counts()

    def numbered(self, bearers: Iterable[Bearer]) -> Bearers:
        """Bearers with their numbers, which they keep; 400 names what is wrong with one."""
        found = tuple(bearers)
        check(found, self._site.tunnelled)
        return Bearers(self._numbered(bearer) for bearer in found)

    async def bear(self, bearers: Bearers) -> None:
        """These and no others from now on."""
        self.bearers = bearers
        self._numbers = {_key(n.bearer): n.number for n in bearers.numbered}
        await self._tell()

    async def lead(self, tunnels: dict[int, Ends]) -> None:
        """These are the tunnels by which rules send packets, by number."""
        self._led = tunnels
        await self._tell()

    async def _tell(self) -> None:
        async with self._telling:
            await self._end.tell(told(self.bearers.numbered, self._site.tunnelled, self._led))

    def _numbered(self, bearer: Bearer) -> Numbered:
        station = str(ip_address(bearer.base_station))
        number = self._numbers.get(_key(bearer)) or next(self._next)
        return Numbered(number, self._own(bearer), msgspec.structs.replace(bearer, base_station=station))

    def _own(self, bearer: Bearer) -> str:
        """Our end of a bearer: the plane's address next to the base station, else the first of its IP version."""
        station = ip_address(bearer.base_station)
        network = next(n for n in self._site.access if n.name == bearer.network)
        ends = [end for end in map(ip_interface, network.gateways) if end.version == station.version]
        if not ends:
            detail = f"the data plane has no address of IPv{station.version} in {bearer.network}"
            raise bad_request(f"Bearer {bearer.teid_up}: baseStation cannot be reached", detail)
        return str(next((end for end in ends if station in end.network), ends[0]).ip)


def _key(bearer: Bearer) -> tuple[object, ...]:
    return bearer.network, bearer.teid_up, bearer.qfi
