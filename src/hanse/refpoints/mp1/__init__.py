"""Mp1: between applications and their platform (ETSI GS MEC 003, 7.2.1). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mp1.liveness import ServiceLiveness
from hanse.refpoints.mp1.registrations import Registrations
from hanse.refpoints.mp1.remote import RemoteServices
from hanse.refpoints.mp1.services import ServiceManagement
from hanse.refpoints.mp1.support import ApplicationSupport
from hanse.refpoints.mp1.timing import Timing
from hanse.refpoints.mp1.ue_identity import UeIdentity

OWN = {"app": "app_instance_id"}

Mp1 = ReferencePoint(
    name="Mp1",
    joins="application – platform",
    clause="ETSI GS MEC 003, 7.2.1; ETSI GS MEC 011; ETSI GS MEC 014",
    offers=(
        Offer(ServiceManagement, provider="mep", users=("app",), own=OWN),
        Offer(ServiceLiveness, provider="mep", users=("app",), own=OWN),
        Offer(ApplicationSupport, provider="mep", users=("app",), own=OWN),
        Offer(Registrations, provider="mep", users=("app",), own=OWN),
        Offer(Timing, provider="mep", users=("app",)),
        Offer(UeIdentity, provider="mep", users=("app",), own=OWN),
        Offer(RemoteServices, provider="mep", users=("app",)),
    ),
)
