"""The ground of a data plane: its namespaces made, joined, found again by name and removed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hanse.drivers.dataplane_nftables.gtp.supervisor import end_left
from hanse.drivers.dataplane_nftables.large import MOST, TOLD, limit
from hanse.drivers.dataplane_nftables.namespaces import batch, existing, inside
from hanse.drivers.dataplane_nftables.site import AccessNetwork, Site
from hanse.drivers.dataplane_nftables.topology import (
    Built,
    Joined,
    device_joined,
    device_links,
    joined,
    links,
    spaces,
    tap_links,
)
from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem, bad_request

_ANY_ADDRESS = "ipv6/ip_nonlocal_bind"
"""IPv6 has no other way to bind an address of a whole prefix; the machine's own namespace is left as it is."""
_FORWARDS = ("ipv4/ip_forward", "ipv6/conf/all/forwarding")


class Ground:
    """The namespaces of one site. Those of its name are its own, whoever left them."""

    def __init__(self, site: Site) -> None:
        self.site = site

    @effect("data_plane.ground")
    async def make(self) -> None:
        """From nothing: what an earlier process left under this name is removed first."""
        await self.clear()
        await batch([f"netns add {space}" for space in spaces(self.site)])
        await self._build(links(self.site))
        await self._enlarge(joined(self.site))
        _switch_on(self.site.plane_space, _FORWARDS)
        _trust_rules(self.site.plane_space)
        if self.site.home_space:
            _switch_on(self.site.home_space, (_ANY_ADDRESS,))

    async def clear(self) -> None:
        """End the tunnel ends of this name, and remove its namespaces; their links go with them."""
        left = existing(self.site.plane_space)
        await asyncio.to_thread(end_left, self.site.plane_space)
        if self.site.plane_space in left:
            await self._unlink()
        await batch([f"netns delete {space}" for space in reversed(left)])

    async def attach(self, device: str, network: str, addresses: tuple[str, ...]) -> str:
        """A namespace for a device in an access network; its name. 400 if there is no such network."""
        found = next((n for n in self.site.access if n.name == network), None)
        if found is None:
            known = ", ".join(n.name for n in self.site.access)
            raise bad_request(f"access network {network} is unknown", f"there are: {known or 'none'}")
        await self._attach(device, found, addresses)
        return self.site.device_space(device)

    async def detach(self, device: str) -> None:
        """Remove a device's namespace; none is no error."""
        await batch([f"netns delete {space}" for space in existing(self.site.device_space(device))])

    async def tap(self, device: str) -> None:
        """Make a tap to the home of applications."""
        await self._build(tap_links(self.site, device))

    async def untap(self, device: str) -> None:
        """Remove a tap."""
        await batch([f"link delete {device}"], self.site.plane_space)

    async def tell_lengths(self, *, on: bool) -> None:
        """Send applications only packets whose headers tell how long they are, as who reads frames needs, or any."""
        most = TOLD if on else MOST
        await asyncio.to_thread(limit, self.site.plane_space, [self.site.home_link], most)

    async def _attach(self, device: str, network: AccessNetwork, addresses: tuple[str, ...]) -> None:
        await self.detach(device)
        await batch([f"netns add {self.site.device_space(device)}"])
        await self._build(device_links(self.site, device, network, addresses))
        await self._enlarge(device_joined(self.site, device, network))

    async def _build(self, built: Built) -> None:
        await batch(built.here)
        for space, lines in built.inside.items():
            await batch(lines, space)
        for space, lines in built.inside_ipv6.items():
            await batch(lines, space, "-6")

    async def _enlarge(self, joined: Joined) -> None:
        for space, interfaces in joined.items():
            await asyncio.to_thread(limit, space, interfaces)

    async def _unlink(self) -> None:
        """A namespace with a process in it lives on without a name: cut the link in ours first."""
        try:
            await batch([f"link delete {self.site.home_link}"], self.site.plane_space)
        except Problem:
            return  # it was not made yet


def _switch_on(space: str, switches: tuple[str, ...]) -> None:
    with inside(space):
        for name in switches:
            Path("/proc/sys/net", name).write_text("1")


def _trust_rules(space: str) -> None:
    """Answers may come by another interface than the way to them leads by: rules decide what may, not the routes."""
    with inside(space):
        for switch in Path("/proc/sys/net/ipv4/conf").glob("*/rp_filter"):
            switch.write_text("0")
