"""What orchestrators ask each other: platforms and their shared services (ours; see docs/decisions/0006)."""

from __future__ import annotations

from hanse.kit.contract.declare import Api, get
from hanse.kit.values import Value
from hanse.model.place import Zone
from hanse.refpoints.mfm_fed.members import MemberQuery
from hanse.refpoints.mp1.services import ServiceState


class SharedService(Value):
    """A service that may be consumed. Behind the border ``reference`` is a pseudonym of that agreement alone."""

    reference: str
    ser_name: str
    version: str
    state: ServiceState
    serializer: str
    transport_type: str
    transport_version: str


class PlatformOffer(Value):
    """A platform: its id (a pseudonym behind the border), the zone that it serves, and what it shares."""

    platform_id: str
    zone: Zone
    services: tuple[SharedService, ...]


class PlatformDiscovery(Api, bases=("/meo_fed/v1",)):
    """Platform discovery between orchestrators (ETSI GR MEC 035, solution 4-1 and 6.5.2, steps 6 and 7)."""

    @get("/systems/{system_id}/platforms")
    async def platforms(self, system_id: str, query: MemberQuery) -> list[PlatformOffer]:
        """Platforms of the system that share a service of one of these names; none is an empty list."""
