"""The platform manager of a host."""

from __future__ import annotations

from hanse.assembly.builders.built import Built
from hanse.assembly.catalogue import Element
from hanse.elements.mepm import PlatformManager
from hanse.elements.mepm.policies import handed_on
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm3.granting import Granting
from hanse.refpoints.mm3.management import InstanceAssignment, SystemView
from hanse.refpoints.mm5.platform import ConflictPolicy, ManagerLookup, PlatformConfiguration
from hanse.refpoints.mm6.workloads import WorkloadEvents, Workloads


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    wiring, host = built.wiring, element.host
    store = wiring.store(element)
    manager = PlatformManager(
        host,
        element.url,
        store=store,
        outbox=wiring.outbox(store),
        procedures=wiring.procedures,
        granting=wiring.require(Granting, "meo", element),
        view=wiring.require(SystemView, "meo", element),
        platform=wiring.require(PlatformConfiguration, f"mep.{host}", element),
        vim=wiring.require(Workloads, f"vim.{host}", element),
        ready_patience=wiring.settings.hosts[host].ready_patience,
        conflicts=ConflictPolicy(wiring.settings.hosts[host].conflicts),
    )
    wiring.forgetting.add(wiring.settings.retention.operations_seconds, manager.forget_ended)
    built.parts[element.name] = manager
    policies = handed_on(wiring.require(SteeringPolicies, f"mep.{host}", element))
    wiring.provide(
        element,
        {
            Lifecycle: manager,
            InstanceAssignment: manager,
            SteeringPolicies: policies,
            ManagerLookup: manager,
            WorkloadEvents: manager,
        },
    )
