"""Mpp-fed: between platforms of different systems (ETSI GR MEC 035, 6.5.2). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption

MppFed = ReferencePoint(
    name="Mpp-fed",
    joins="platform – platform of another system",
    clause="ETSI GR MEC 035, 6.5.2",
    offers=(
        Offer(ServiceConsumption, provider="border", users=("partner",)),
        Offer(ServiceConsumption, provider="mep", users=("border",)),
    ),
)
