"""The orchestrator of the operator."""

from __future__ import annotations

from hanse.assembly.builders.built import Built
from hanse.assembly.catalogue import Element
from hanse.elements.meo import Host, Orchestrator
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery
from hanse.refpoints.mfm_fed.members import Membership
from hanse.refpoints.mfm_fed.system_info import FederationEnablement
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm3.management import InstanceAssignment
from hanse.refpoints.mm4.infrastructure import Infrastructure


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    wiring, settings = built.wiring, built.wiring.settings
    store = wiring.store(element)
    links = built.links(element, built.watch(element))
    hosts = {
        name: Host(
            name=name,
            zone=place.zone.zone(),
            country=place.country,
            lifecycle=wiring.require(Lifecycle, f"mepm.{name}", element),
            assignment=wiring.require(InstanceAssignment, f"mepm.{name}", element),
            infrastructure=wiring.require(Infrastructure, f"vim.{name}", element),
            steering=wiring.require(SteeringPolicies, f"mepm.{name}", element),
        )
        for name, place in settings.hosts.items()
    }
    orchestrator = Orchestrator(
        wiring.operator,
        element.url,
        store=store,
        outbox=wiring.outbox(store),
        procedures=wiring.procedures,
        directory=wiring.directory / "packages",
        trust=[settings.content("packages.trust", path) for path in settings.packages.trust],
        hosts=hosts,
        enablement=wiring.require(FederationEnablement, "federation_manager", element),
        membership=wiring.require(Membership, "federation_manager", element),
        peer=lambda name: links.api(PlatformDiscovery, "Meo-fed", name),
        devices=settings.devices.keys(),
        steering={name: policy.policy(name) for name, policy in settings.steering.items()},
    )
    wiring.starts.append(orchestrator.start_up)
    wiring.stops.append(orchestrator.shut_down)
    wiring.forgetting.add(wiring.settings.retention.operations_seconds, orchestrator.lifecycle.forget_ended)
    built.parts[element.name] = orchestrator
    wiring.provide(element, orchestrator.apis())
