"""Mp3: between platforms of one system (ETSI GS MEC 003, 7.2.1). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mp3.services import SharedFlows, SharedServices
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption

Mp3 = ReferencePoint(
    name="Mp3",
    joins="platform – platform of the same system",
    clause="ETSI GS MEC 003, 7.2.1",
    offers=(
        Offer(SharedServices, provider="mep", users=("mep",)),
        Offer(SharedFlows, provider="mep", users=("mep",)),
        Offer(ServiceConsumption, provider="mep", users=("mep",)),
    ),
)
