"""The federation manager of the operator."""

from __future__ import annotations

from hanse.assembly.builders.built import Built
from hanse.assembly.catalogue import Element
from hanse.elements.federation_manager import FederationManager
from hanse.refpoints.mff_fed.federation import Federation


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    wiring = built.wiring
    links = built.links(element, None)
    manager = FederationManager(
        wiring.operator,
        element.url,
        store=wiring.store(element),
        partners=list(wiring.settings.partners),
        peer=lambda name: links.api(Federation, "Mff-fed", name),
    )
    wiring.starts.append(manager.start_up)
    wiring.stops.append(manager.shut_down)
    built.parts[element.name] = manager
    wiring.provide(element, manager.apis())
