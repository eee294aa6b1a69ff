"""Mx1: between the customer-facing portal, here the command line, and the OSS (ETSI GS MEC 003, 7.2.5)."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mx1.overview import Overview

Mx1 = ReferencePoint(
    name="Mx1",
    joins="customer-facing portal – OSS",
    clause="ETSI GS MEC 003, 7.2.5",
    offers=(
        Offer(PackageManagement, provider="oss", users=("customer", "administrator")),
        Offer(Lifecycle, provider="oss", users=("customer", "administrator")),
        Offer(Overview, provider="oss", users=("administrator",)),
        Offer(SteeringPolicies, provider="oss", users=("administrator",)),
    ),
)
