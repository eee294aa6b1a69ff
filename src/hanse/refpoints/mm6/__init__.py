"""Mm6: between a platform manager and a VIM (ETSI GS MEC 003, 7.2.2). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mm6.workloads import WorkloadEvents, Workloads

Mm6 = ReferencePoint(
    name="Mm6",
    joins="platform manager – VIM",
    clause="ETSI GS MEC 003, 7.2.2",
    offers=(
        Offer(Workloads, provider="vim", users=("mepm",)),
        Offer(WorkloadEvents, provider="mepm", users=("vim",)),
    ),
)
