"""What an orchestrator keeps."""

from __future__ import annotations

from typing import Any

from hanse.kit.problems import ProblemDetails
from hanse.kit.store import Shelf, Store
from hanse.kit.values import Value
from hanse.model.descriptor.application import AppD
from hanse.model.package import PackageImage
from hanse.refpoints.mm1.lifecycle import InstantiationState, OperationalState
from hanse.refpoints.mm1.occurrence import Occurrence
from hanse.refpoints.mm1.packages import Checksum, OnboardingState, PackageOperationalState
from hanse.refpoints.mm1.steering import SteeringPolicy
from hanse.refpoints.mm3.granting import Grant
from hanse.refpoints.mm3.management import PlatformReport


class PackageRecord(Value):
    """A package; what its descriptor tells is there from ONBOARDED on."""

    id: str
    tenant: str
    name: str
    version: str
    checksum: Checksum
    state: OnboardingState
    operational: PackageOperationalState
    descriptor: AppD | None = None
    images: tuple[PackageImage, ...] = ()
    signer: str = ""
    user_defined_data: dict[str, Any] | None = None
    failure: ProblemDetails | None = None


class InstanceRecord(Value):
    """An application instance; ``host`` is where it was placed."""

    id: str
    tenant: str
    app_pkg_id: str
    descriptor: AppD
    name: str | None = None
    description: str | None = None
    state: InstantiationState = InstantiationState.NOT_INSTANTIATED
    running: OperationalState | None = None
    host: str = ""


class Membership(Value):
    """The system's id in the federation."""

    system_id: str


class Records:
    """The shelves of an orchestrator."""

    def __init__(self, store: Store) -> None:
        self.packages: Shelf[PackageRecord] = store.shelf("app_package", PackageRecord)
        self.instances: Shelf[InstanceRecord] = store.shelf("app_instance", InstanceRecord)
        self.operations: Shelf[Occurrence] = store.shelf("app_lcm_op_occ", Occurrence)
        self.grants: Shelf[Grant] = store.shelf("grant", Grant)
        self.reports: Shelf[PlatformReport] = store.shelf("platform_report", PlatformReport)
        self.policies: Shelf[SteeringPolicy] = store.shelf("steering_policy", SteeringPolicy)
        self.membership: Shelf[Membership] = store.shelf("membership", Membership)


ALL_TENANTS = "*"
"""The tenant of an administrator: sees everything."""


def visible(tenant: str, owner: str) -> bool:
    """Whether a tenant may see what belongs to ``owner``."""
    return tenant in (ALL_TENANTS, owner)
