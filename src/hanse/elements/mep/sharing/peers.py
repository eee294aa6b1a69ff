"""Peers: at which place a service is wanted that an app asks for, by the device that it serves with it.

One app serves many devices at once, and only the app knows which of them a question is for. So it names the connection
that it serves, as it sees it (`hanse-peer`, docs/decisions/0012), and the platform finds the device behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address

from hanse.elements.mep.steering.anycast import instance_of
from hanse.elements.mep.steering.devices import Devices
from hanse.kit.contract.call import continuing
from hanse.kit.problems import Problem, bad_request, forbidden
from hanse.model.place import Position
from hanse.refpoints.mp2 import DataPlane, Flow
from hanse.refpoints.mp3.services import SharedFlows

HEADER = "hanse-peer"
_FORM = "ADDRESS:PORT of the connection that you serve, as you see it: 192.0.2.7:49152 or [2001:db8::7]:49152"
PATIENCE = 1.0
"""Seconds that another host may take to tell its flows."""

Peer = tuple[str, int]
"""An IP address and a port."""


class PassingFlows(SharedFlows):
    """Tells neighbours of flows to their apps that pass the data plane of this host (Mp3)."""

    def __init__(self, data_plane: DataPlane) -> None:
        self._data_plane = data_plane

    async def flows_to(self, app_instance_id: str) -> list[Flow]:
        """Those that a rule of the app leads, which is carried out here."""
        return [f for f in await self._data_plane.flows() if instance_of(f.rule_id) == app_instance_id]


class Places:
    """Where the devices are that apps of this host serve; a stranger is taken to be where the platform is.

    ``here`` are the flows of this host, ``elsewhere`` those of the other hosts of the system that live now.
    """

    def __init__(self, here: SharedFlows, elsewhere: Callable[[], Iterable[SharedFlows]], devices: Devices) -> None:
        self._here = here
        self._elsewhere = elsewhere
        self._devices = devices

    async def of(self, app_instance_id: str, peer: str) -> Position | None:
        """The place that counts for what an app asks; ``peer`` is its word (`HEADER`), empty if it gives none.

        400: it is none; 403: it is no peer of the app, whoever else's it may be.
        """
        named = read_peer(peer) if peer else None
        flows = await self._here.flows_to(app_instance_id)
        if named is not None and (source := source_of(flows, named)):
            return self._place(source)
        flows += await self._entering_elsewhere(app_instance_id)
        if named is None:
            return only_place([self._place(flow.src_address) for flow in flows], self._place(""))
        if source := source_of(flows, named):
            return self._place(source)
        raise forbidden(f"{HEADER} is no peer of yours", "name an open connection that a traffic rule of yours let in")

    def _place(self, address: str) -> Position | None:
        return self._devices.at(address).position

    async def _entering_elsewhere(self, app_instance_id: str) -> list[Flow]:
        """Flows that another host led to the app (`anycast`); one that does not answer is passed over."""
        with continuing(patience=PATIENCE):
            asked = [asyncio.ensure_future(_asked(other, app_instance_id)) for other in self._elsewhere()]
        return [flow for flows in await asyncio.gather(*asked) for flow in flows]


async def _asked(other: SharedFlows, app_instance_id: str) -> list[Flow]:
    try:
        return await other.flows_to(app_instance_id)
    except Problem:
        return []


def source_of(flows: Iterable[Flow], peer: Peer) -> str:
    """The address of the device behind a peer among the flows of an app; empty if it is none of them."""
    return next((f.src_address for f in flows if (f.peer_address, f.peer_port) == peer), "")


def only_place(places: Sequence[Position | None], own: Position | None) -> Position | None:
    """The place where all devices are; the platform's own if they differ, or if there is none: no device is guessed."""
    return places[0] if places and all(place == places[0] for place in places) else own


def read_peer(text: str) -> Peer:
    """Read ``ADDRESS:PORT``, an IPv6 address in brackets; a problem 400 names the header."""
    address, _, port = text.strip().rpartition(":")
    bracketed = address.startswith("[") and address.endswith("]")
    try:
        found = ip_address(address[1:-1] if bracketed else address)
        if bracketed is (found.version == 6) and port.isascii() and port.isdigit() and 0 < int(port) < 65536:
            return str(found), int(port)
    except ValueError:
        pass
    raise bad_request(f"Invalid header {HEADER}", _FORM)
