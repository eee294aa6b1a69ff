"""The name server of a host, by the embedded driver."""

from __future__ import annotations

from hanse.assembly.builders.built import Built
from hanse.assembly.catalogue import Element
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.refpoints.mp2 import NameServer


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    place = built.wiring.settings.hosts[element.host].names
    names = EmbeddedNames(place.address, place.port, place.zones)
    built.wiring.starts.append(names.start)
    built.wiring.stops.append(names.close)
    built.parts[element.name] = names
    built.wiring.provide(element, {NameServer: names})
