"""What a process has made, and what its elements share."""

from __future__ import annotations

from hanse.assembly.authentication import element_caller
from hanse.assembly.catalogue import Element
from hanse.assembly.links import PartnerLinks
from hanse.assembly.partners import PartnerWatch
from hanse.assembly.wiring import Hook, Wiring
from hanse.refpoints.mfm_fed.members import Membership


class Built:
    """What a process has made: for each element its object, and the watch over the agreements.

    ``afterwards`` begins once all elements of the process have, whatever their order.
    """

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.parts: dict[str, object] = {}
        self.afterwards: list[Hook] = []
        self._watch: PartnerWatch | None = None

    def part(self, name: str) -> object:
        """The object of an element."""
        return self.parts[name]

    def watch(self, consumer: Element) -> PartnerWatch:
        """The one watch of this process."""
        if self._watch is None:
            self._watch = PartnerWatch(self.wiring.require(Membership, "federation_manager", consumer))
            self.wiring.starts.append(self._watch.start_up)
            self.wiring.stops.append(self._watch.shut_down)
        return self._watch

    def links(self, element: Element, watch: PartnerWatch | None) -> PartnerLinks:
        """An element's links to partners."""
        wiring = self.wiring
        caller = element_caller(wiring.operator, element.name)
        links = PartnerLinks(dict(wiring.settings.partners), wiring.partner_context, caller, wiring.observer, watch)
        wiring.renewal.on_renewal(links.renew)
        wiring.stops.append(links.close)
        return links
