"""Peers: at which place a service is wanted that an app asks for, by the device that it serves with it.

One app serves many devices at once, and only the app knows which of them a question is for. So it names the connection
that it serves, as it sees it (`hanse-peer`, docs/decisions/0012), and the platform finds the device behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address

from hanse.kit.problems import bad_request, forbidden
from hanse.model.place import Position
from hanse.refpoints.mp2 import DataPlane, Flow

HEADER = "hanse-peer"
_FORM = "ADDRESS:PORT of the connection that you serve, as you see it: 192.0.2.7:49152 or [2001:db8::7]:49152"

Peer = tuple[str, int]
"""An IP address and a port."""


class Places:
    """Where the devices are that apps of this host serve; ``devices`` by address, ``own`` is the platform's place."""

    def __init__(self, data_plane: DataPlane, devices: Mapping[str, Position], own: Position) -> None:
        self._data_plane = data_plane
        self._devices = devices
        self._own = own

    async def of(self, app_instance_id: str, peer: str) -> Position:
        """The place that counts for what an app asks; ``peer`` is its word (`HEADER`), empty if it gives none.

        400: it is none; 403: it is no peer of the app, whoever else's it may be.
        """
        named = read_peer(peer) if peer else None
        flows = [f for f in await self._data_plane.flows() if belongs(f, app_instance_id)]
        if named is not None:
            return self._devices.get(source_of(flows, named), self._own)
        return only_place([self._devices.get(flow.src_address, self._own) for flow in flows], self._own)


def belongs(flow: Flow, app_instance_id: str) -> bool:
    """Whether a rule of the app lets a flow through."""
    return flow.rule_id.startswith(f"{app_instance_id}.")


def source_of(flows: Sequence[Flow], peer: Peer) -> str:
    """The address of the device behind a peer among the flows of an app; a problem 403 if it is none of them."""
    for flow in flows:
        if (flow.peer_address, flow.peer_port) == peer:
            return flow.src_address
    raise forbidden(f"{HEADER} is no peer of yours", "name an open connection that a traffic rule of yours let in")


def only_place(places: Sequence[Position], own: Position) -> Position:
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
