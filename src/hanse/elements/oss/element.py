"""The OSS: takes requests of customers and administrators, grants or refuses them, hands granted ones on."""

from __future__ import annotations

from hanse.kit.contract.call import Caller, current_call
from hanse.kit.contract.declare import Api
from hanse.kit.contract.forward import forwarding
from hanse.kit.problems import forbidden
from hanse.refpoints.mfm_fed.members import Membership
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm1.topology import SystemTopology
from hanse.refpoints.mx1.overview import OperatorOverview, Overview

ALL_TENANTS = "*"


class Oss(Overview):
    """The OSS of one operator; a customer's requests go on as those of its tenant, an administrator's as of all."""

    def __init__(
        self,
        packages: PackageManagement,
        lifecycle: Lifecycle,
        topology: SystemTopology,
        membership: Membership,
        steering: SteeringPolicies,
    ) -> None:
        self._topology = topology
        self._membership = membership
        self._apis: dict[type[Api], Api] = {
            PackageManagement: forwarding(PackageManagement, packages, tenant_of),
            Lifecycle: forwarding(Lifecycle, lifecycle, tenant_of),
            Overview: self,
            SteeringPolicies: forwarding(SteeringPolicies, steering, tenant_of),
        }

    def apis(self) -> dict[type[Api], Api]:
        """Which part provides which API."""
        return self._apis

    async def overview(self) -> OperatorOverview:
        """Hosts, apps and partners as they are now."""
        system = await self._topology.system()
        return OperatorOverview(system=system, partners=tuple(await self._membership.list_partners()))

    async def close_agreement(self, partner: str) -> None:
        """End the agreement with a partner."""
        await self._membership.close_agreement(partner)

    async def open_agreement(self, partner: str) -> None:
        """Begin the agreement with a partner anew."""
        await self._membership.open_agreement(partner)


def tenant_of() -> str:
    """The tenant for whom the current call is made; a customer without one is refused."""
    caller: Caller = current_call().caller
    if caller.role == "administrator":
        return ALL_TENANTS
    if caller.subject in ("", ALL_TENANTS):
        raise forbidden("No tenant", "a customer's credentials name its one tenant")
    return caller.subject
