"""The data plane of a host, by the user-space driver."""

from __future__ import annotations

from hanse.assembly.builders.built import Built
from hanse.assembly.catalogue import Element
from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.refpoints.mp2 import DataPlane


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    plane = UserspaceDataPlane(built.wiring.settings.hosts[element.host].data_plane)
    built.wiring.starts.append(plane.start)
    built.wiring.stops.append(plane.close)
    built.parts[element.name] = plane
    built.wiring.provide(element, {DataPlane: plane})
