"""The border of the operator."""

from __future__ import annotations

from hanse.assembly.builders.built import Built
from hanse.assembly.catalogue import Element
from hanse.assembly.identities import secret
from hanse.elements.border import Border
from hanse.model.agreement import Agreement
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery
from hanse.refpoints.mff_fed.federation import Federation
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    wiring = built.wiring
    watch = built.watch(element)
    agreements = {
        name: Agreement(partner=name, services=partner.share.services, zones=partner.share.zones)
        for name, partner in wiring.settings.partners.items()
    }
    platforms = {host: wiring.require(ServiceConsumption, f"mep.{host}", element) for host in wiring.settings.hosts}
    border = Border(
        store=wiring.store(element),
        agreements=agreements,
        standing=watch.standing,
        manager=wiring.require(Federation, "federation_manager", element),
        orchestrator=wiring.require(PlatformDiscovery, "meo", element),
        platform=platforms.__getitem__,
        zones={name: host.zone.name for name, host in wiring.settings.hosts.items()},
        seed=secret(wiring.directory / "border.seed"),
        names_kept=wiring.settings.limits.partner_names,
    )
    built.parts[element.name] = border
    wiring.provide(element, {Federation: border, PlatformDiscovery: border, ServiceConsumption: border})
