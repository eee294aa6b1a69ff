"""Rules of an orchestrator: where an instance goes, and which platform of a partner is best."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from hanse.kit.problems import bad_request, conflict
from hanse.kit.values import ABSENT, Absent, Value
from hanse.model.place import Position, Zone
from hanse.refpoints.meo_fed.platforms import PlatformOffer
from hanse.refpoints.mm1.lifecycle import InstantiateAppRequest, LocationConstraints

UNSUPPORTED = {
    "virtual_compute_descriptor": "virtualComputeDescriptor",
    "os_container_descriptor": "osContainerDescriptor",
    "virtual_storage_descriptor": "virtualStorageDescriptor",
    "vim_connection_info": "vimConnectionInfo",
    "app_term_cands_for_coord": "appTermCandsForCoord",
}
"""What a request to instantiate may hold by the standard and is refused here rather than ignored (6.2.2.7)."""


class HostView(Value):
    """A host at the moment of a decision; free resources in bytes and thousandths of a core."""

    name: str
    zone: Zone
    country: str
    memory_free: int
    cpu_milli_free: int
    workloads: int


def place(view: Sequence[HostView], memory: int, cpu_milli: int, where: LocationConstraints | Absent) -> str:
    """The host that suits best: allowed, with room, and of these the one with most room left.

    A problem 409 tells why none suits.
    """
    allowed = [host for host in view if _allowed(host, where)]
    if not allowed:
        raise conflict("No host in that place", f"hosts are in {', '.join(h.zone.name for h in view) or 'no zone'}")
    roomy = [host for host in allowed if host.memory_free >= memory and host.cpu_milli_free >= cpu_milli]
    if not roomy:
        raise conflict("No host has room", f"{memory} bytes and {cpu_milli / 1000} cores are wanted")
    return max(roomy, key=lambda host: (host.memory_free, -host.workloads, host.name)).name


def check_instantiate(request: InstantiateAppRequest) -> None:
    """What may stand in the request on Mm1 (ETSI GS MEC 010-2 V3.1.1, 6.2.2.7)."""
    if not isinstance(request.selected_mec_host_info, Absent):
        raise bad_request("Unexpected attribute selectedMECHostInfo", "on Mm1 the orchestrator selects the host")
    for attribute, name in UNSUPPORTED.items():
        if getattr(request, attribute) is not ABSENT:
            raise bad_request(f"Attribute {name} not supported", "leave it out: the package's descriptor says it")
    where = request.location_constraints
    if isinstance(where, Absent):
        return
    if not isinstance(where.civic_address_element, Absent):
        raise bad_request("Attribute civicAddressElement not supported", "give countryCode or area")
    if isinstance(where.area, Absent):
        if isinstance(where.country_code, Absent):
            raise bad_request("Missing attribute countryCode", "countryCode is required unless area is given")
        return
    _ring(where.area)


def nearest(offers: Sequence[PlatformOffer], position: Position | None) -> PlatformOffer | None:
    """The platform closest to the device that will use it (recommendation 5.5.2-4); the first if that is unknown."""
    if not offers:
        return None
    if position is None:
        return offers[0]
    return min(offers, key=lambda offer: offer.zone.position.distance(position))


def _allowed(host: HostView, where: LocationConstraints | Absent) -> bool:
    if isinstance(where, Absent):
        return True
    if isinstance(where.area, dict):
        return _inside(host.zone.position, _ring(where.area))
    return host.country == where.country_code


def _ring(area: dict[str, Any]) -> list[tuple[float, float]]:
    """The outer ring of a GeoJSON Polygon, as pairs of longitude and latitude (RFC 7946, 3.1.6)."""
    try:
        if area["type"] != "Polygon":
            raise ValueError("type")
        ring = [(float(point[0]), float(point[1])) for point in area["coordinates"][0]]
    except (KeyError, IndexError, TypeError, ValueError):
        raise bad_request(
            "Invalid attribute area", 'a GeoJSON object {"type": "Polygon", "coordinates": [[...]]}'
        ) from None
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise bad_request("Invalid attribute area", "a ring of at least four points whose last is its first")
    return ring


def _inside(position: Position, ring: Sequence[tuple[float, float]]) -> bool:
    """Even-odd rule."""
    x, y, inside = position.longitude, position.latitude, False
    for (x1, y1), (x2, y2) in itertools.pairwise(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside
