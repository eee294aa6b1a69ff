"""Federation enablement (ETSI GS MEC 040 V3.1.1, clause 7)."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from hanse.kit.contract.declare import Api, Created, delete, get, patch, post
from hanse.kit.values import ABSENT, Absent, Value
from hanse.refpoints.mp1.services import EndPointInfo


class SystemInfo(Value):
    """A MEC system of the federation (6.2.2); ``system_id`` is absent in a registration and present elsewhere."""

    system_name: str
    system_provider: str
    system_id: str | Absent = ABSENT


class SystemInfoUpdate(Value):
    """What may be changed: at least one of the two; the endpoint is stored and never shown (6.2.3)."""

    system_name: str | Absent = ABSENT
    endpoint: EndPointInfo | Absent = ABSENT


class SystemQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which systems: repeated values are ORed, parameters ANDed; the official file's lower-case names are read too."""

    system_id: tuple[str, ...] | Absent = ABSENT
    system_name: tuple[str, ...] | Absent = ABSENT
    system_provider: tuple[str, ...] | Absent = ABSENT

    __aliases__: ClassVar[dict[str, str]] = {
        "systemid": "systemId",
        "systemname": "systemName",
        "systemprovider": "systemProvider",
    }


class FederationEnablement(Api, bases=("/fed_enablement/v1",)):
    """The federation manager's standard face to its orchestrators (7.2)."""

    @get("/fed_resources/system_info")
    async def list_systems(self, query: SystemQuery) -> list[SystemInfo]:
        """Systems of the federation, those of partners too (7.3.3.1)."""

    @post("/fed_resources/system_info")
    async def register_system(self, system: SystemInfo) -> Created[SystemInfo]:
        """Register the caller's system; the manager gives it an id (7.3.3.4)."""

    @get("/fed_resources/system_info/{system_id}")
    async def read_system(self, system_id: str) -> SystemInfo:
        """One system (7.4.3.1)."""

    @patch("/fed_resources/system_info/{system_id}", consumes="application/json application/merge-patch+json")
    async def update_system(self, system_id: str, change: SystemInfoUpdate) -> SystemInfo:
        """Rename the caller's own system, or tell where it is reached (7.4.3.3)."""

    @delete("/fed_resources/system_info/{system_id}")
    async def deregister_system(self, system_id: str) -> None:
        """Take the caller's own system out of the federation (7.4.3.5)."""
