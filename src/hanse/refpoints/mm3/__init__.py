"""Mm3: between the orchestrator and a platform manager (ETSI GS MEC 003, 7.2.2). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm3.granting import Granting
from hanse.refpoints.mm3.management import InstanceAssignment, SystemView

LIFECYCLE_ON_MM3 = (
    "list_instances",
    "read_instance",
    "instantiate",
    "terminate",
    "operate",
    "list_operations",
    "read_operation",
)
"""Instances are made and deleted by assignment here: their ids come from the orchestrator."""

Mm3 = ReferencePoint(
    name="Mm3",
    joins="orchestrator – platform manager",
    clause="ETSI GS MEC 003, 7.2.2; ETSI GS MEC 010-2, 7",
    offers=(
        Offer(Lifecycle, provider="mepm", users=("meo",), only=LIFECYCLE_ON_MM3),
        Offer(InstanceAssignment, provider="mepm", users=("meo",)),
        Offer(SteeringPolicies, provider="mepm", users=("meo",)),
        Offer(Granting, provider="meo", users=("mepm",)),
        Offer(SystemView, provider="meo", users=("mepm",)),
    ),
)
