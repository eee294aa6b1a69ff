"""Mm1: between the OSS and the orchestrator (ETSI GS MEC 003, 7.2.2). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm1.topology import SystemTopology

Mm1 = ReferencePoint(
    name="Mm1",
    joins="OSS – orchestrator",
    clause="ETSI GS MEC 003, 7.2.2; ETSI GS MEC 010-2, 7",
    offers=(
        Offer(PackageManagement, provider="meo", users=("oss",)),
        Offer(Lifecycle, provider="meo", users=("oss",)),
        Offer(SystemTopology, provider="meo", users=("oss",)),
        Offer(SteeringPolicies, provider="meo", users=("oss",)),
    ),
)
