"""Meo-fed: between orchestrators of different systems (ETSI GR MEC 035, 6.5.2). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery

MeoFed = ReferencePoint(
    name="Meo-fed",
    joins="orchestrator – orchestrator",
    clause="ETSI GR MEC 035, 6.5.2",
    offers=(
        Offer(PlatformDiscovery, provider="border", users=("partner",)),
        Offer(PlatformDiscovery, provider="meo", users=("border",)),
    ),
)
