"""Mfm-fed: between an orchestrator and its federation manager (ETSI GR MEC 035, 6.5.2). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mfm_fed.members import Membership
from hanse.refpoints.mfm_fed.system_info import FederationEnablement

MfmFed = ReferencePoint(
    name="Mfm-fed",
    joins="orchestrator – federation manager",
    clause="ETSI GR MEC 035, 6.5.2; ETSI GS MEC 040",
    offers=(
        Offer(FederationEnablement, provider="federation_manager", users=("meo",)),
        Offer(Membership, provider="federation_manager", users=("meo",), only=("register_resources", "find_members")),
        Offer(Membership, provider="federation_manager", users=("meo", "mep", "border"), only=("list_partners",)),
        Offer(
            Membership,
            provider="federation_manager",
            users=("oss",),
            only=("list_partners", "close_agreement", "open_agreement"),
        ),
    ),
)
