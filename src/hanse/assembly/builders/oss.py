"""The OSS of the operator."""

from __future__ import annotations

from hanse.assembly.builders.built import Built
from hanse.assembly.catalogue import Element
from hanse.elements.oss import Oss
from hanse.refpoints.mfm_fed.members import Membership
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm1.topology import SystemTopology


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    wiring = built.wiring
    oss = Oss(
        wiring.require(PackageManagement, "meo", element),
        wiring.require(Lifecycle, "meo", element),
        wiring.require(SystemTopology, "meo", element),
        wiring.require(Membership, "federation_manager", element),
        wiring.require(SteeringPolicies, "meo", element),
    )
    built.parts[element.name] = oss
    wiring.provide(element, oss.apis())
