"""Mff-fed: between federation managers (ETSI GR MEC 035, 6.5.2). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mff_fed.federation import Federation

MffFed = ReferencePoint(
    name="Mff-fed",
    joins="federation manager – federation manager",
    clause="ETSI GR MEC 035, 6.5.2",
    offers=(
        Offer(Federation, provider="border", users=("partner",)),
        Offer(Federation, provider="federation_manager", users=("border",)),
    ),
)
