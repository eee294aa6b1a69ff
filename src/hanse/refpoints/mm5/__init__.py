"""Mm5: between a platform manager and its platform (ETSI GS MEC 003, 7.2.2). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm5.platform import ManagerLookup, PlatformConfiguration

Mm5 = ReferencePoint(
    name="Mm5",
    joins="platform manager – platform",
    clause="ETSI GS MEC 003, 7.2.2",
    offers=(
        Offer(PlatformConfiguration, provider="mep", users=("mepm",)),
        Offer(SteeringPolicies, provider="mep", users=("mepm",)),
        Offer(ManagerLookup, provider="mepm", users=("mep",)),
    ),
)
