"""The data plane of a host, by the driver that the settings name."""

from __future__ import annotations

from hanse.assembly.builders.built import Built
from hanse.assembly.catalogue import Element
from hanse.assembly.settings import Settings
from hanse.assembly.sites import site_of
from hanse.drivers.dataplane_nftables import NftablesDataPlane
from hanse.drivers.dataplane_userspace import MOST_FLOWS, UserspaceDataPlane
from hanse.kit import descriptors
from hanse.refpoints.mp2 import DataPlane


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    settings = built.wiring.settings
    host = settings.hosts[element.host]
    if host.data_plane_driver == "nftables":
        plane: UserspaceDataPlane | NftablesDataPlane = _in_kernel(built, settings, element.host)
    else:
        plane = UserspaceDataPlane(
            host.data_plane,
            most_flows(descriptors.allowed(), len(settings.hosts)),
            networks=access_networks(settings),
        )
        built.wiring.starts.append(plane.start)
    built.wiring.stops.append(plane.close)
    built.parts[element.name] = plane
    built.wiring.provide(element, {DataPlane: plane})


def most_flows(allowed: int, hosts: int) -> int:
    """Flows that may pass at a host: two sockets each, and half of what the process may open is for all hosts' flows.

    Without that bound devices could take what the operator needs to hear anybody else.
    """
    return max(1, min(MOST_FLOWS, allowed // 2 // 2 // hosts))


def access_networks(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The access networks of an operator by name, that of their zone, with the addresses of their devices."""
    zones = {host.zone.name for host in settings.hosts.values()}
    devices = settings.devices.values()
    return {zone: tuple(d.address for d in devices if settings.hosts[d.host].zone.name == zone) for zone in zones}


def _in_kernel(built: Built, settings: Settings, name: str) -> NftablesDataPlane:
    """With a namespace for each device of the host; applications stay in the namespace of this process."""
    site, devices = site_of(settings, name)
    plane, radio = NftablesDataPlane(site), settings.hosts[name].radio

    async def start() -> None:
        await plane.start()
        for device, address in devices.items():
            await plane.ground.attach(device, site.access[0].name, (address,))
        if radio is not None:
            await plane.bear(radio.declared())

    built.wiring.starts.append(start)
    return plane
