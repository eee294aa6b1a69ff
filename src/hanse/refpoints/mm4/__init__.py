"""Mm4: between the orchestrator and a VIM (ETSI GS MEC 003, 7.2.2). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mm4.infrastructure import Infrastructure

Mm4 = ReferencePoint(
    name="Mm4",
    joins="orchestrator – VIM",
    clause="ETSI GS MEC 003, 7.2.2",
    offers=(Offer(Infrastructure, provider="vim", users=("meo",)),),
)
