"""What an orchestrator tells its federation manager beyond MEC 040, and asks of it (ours; see docs/decisions/0006)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hanse.kit.contract.declare import Api, get, post, put
from hanse.kit.values import ABSENT, Absent, Value
from hanse.model.place import Zone
from hanse.refpoints.mm3.management import ALL_OF_A_HOST


class ZoneResources(Value):
    """Computing and network resources of a zone (recommendation 5.5.2-1): bytes, thousandths of a core.

    ``network`` is the family of the addresses that instances get, ``addresses`` their number.
    """

    zone: Zone
    memory: int
    cpu_milli: int
    network: str
    addresses: int = 0


class RegisteredService(Value):
    """A service by which the system may be found (type 1: only service and app ids are known; GR MEC 035, 6.3.1)."""

    ser_name: str
    version: str
    app_name: str


class RegisteredApp(Value):
    """An application that runs in the system, whether it offers a service or not; ``zones`` are the names of where."""

    app_d_id: str
    app_name: str
    app_provider: str
    app_soft_version: str
    zones: tuple[str, ...]


class SystemResources(Value):
    """What a system registers with its manager: resources by zone, services by which it may be found, applications."""

    zones: tuple[ZoneResources, ...]
    services: tuple[RegisteredService, ...]
    apps: tuple[RegisteredApp, ...] = ()


class MemberQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which members: those that offer a service of one of these names."""

    ser_name: tuple[str, ...] | Absent = ABSENT


class Member(Value):
    """A system of a partner: its id in the federation, its name, and the partner through which it is reached."""

    system_id: str
    system_name: str
    partner: str


class PartnerState(StrEnum):
    """How it stands with a partner; CLOSED is final until who closed the agreement opens it again."""

    FORMING = "FORMING"
    AVAILABLE = "AVAILABLE"
    TEMPORARY_FAILURE = "TEMPORARY_FAILURE"
    CLOSED = "CLOSED"


class Partner(Value):
    """A partner and the agreement with it. ``epoch`` counts openings: tokens of earlier ones are refused."""

    name: str
    state: PartnerState
    open: bool
    epoch: int
    since: float
    detail: str = ""


class Membership(Api, bases=("/mfm_fed/v1",)):
    """Members of the federation, and the agreements that make them members."""

    @put("/systems/{system_id}/resources", success=204, largest=ALL_OF_A_HOST)
    async def register_resources(self, system_id: str, resources: SystemResources) -> None:
        """Replace what the caller's system has registered (recommendation 5.5.2-1)."""

    @get("/members")
    async def find_members(self, query: MemberQuery) -> list[Member]:
        """Systems of partners that offer a service; looked up at each query (ETSI GR MEC 035, 6.3.2)."""

    @get("/partners")
    async def list_partners(self) -> list[Partner]:
        """The partners and how it stands with each."""

    @post("/partners/{partner}/close", success=204)
    async def close_agreement(self, partner: str) -> None:
        """End the agreement: tokens are refused and connections cut, on both sides, within a second."""

    @post("/partners/{partner}/open", success=204)
    async def open_agreement(self, partner: str) -> None:
        """Begin the agreement anew."""
