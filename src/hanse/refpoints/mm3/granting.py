"""Granting: the MEPM asks before it takes resources (ETSI GS MEC 010-2 V3.1.1, 7.5)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hanse.kit.contract.declare import Api, Created, get, post
from hanse.kit.values import ABSENT, Absent, Link, Value
from hanse.refpoints.mm1.lifecycle import LcmOperation


class ResourceType(StrEnum):
    """What kind a resource is (6.2.4.3)."""

    COMPUTE = "COMPUTE"
    STORAGE = "STORAGE"
    LINKPORT = "LINKPORT"
    OSCONTAINER = "OSCONTAINER"


class ResourceDefinition(Value):
    """A resource that an operation adds or removes (6.2.4.3)."""

    id: str
    type: ResourceType
    resource_template_id: tuple[str, ...]


class GrantLinks(Value):
    """Links of a grant and of its request (6.2.4.2, 6.2.4.4)."""

    app_lcm_op_occ: Link
    app_instance: Link


class GrantRequest(Value):
    """May this operation take these resources? (6.2.4.2)"""

    app_instance_id: str
    app_lcm_op_occ_id: str
    app_d_id: str = msgspec.field(name="appDId")
    operation: LcmOperation
    links: GrantLinks = msgspec.field(name="_links")
    add_resources: tuple[ResourceDefinition, ...] | Absent = ABSENT
    remove_resources: tuple[ResourceDefinition, ...] | Absent = ABSENT


class GrantInfo(Value):
    """What is granted of one resource (6.2.4.5)."""

    resource_definition_id: str
    vim_connection_id: str | Absent = ABSENT
    zone_id: str | Absent = ABSENT


class Grant(Value):
    """The orchestrator's word (6.2.4.4)."""

    id: str
    app_instance_id: str
    app_lcm_op_occ_id: str
    links: GrantLinks = msgspec.field(name="_links")
    add_resources: tuple[GrantInfo, ...] | Absent = ABSENT
    remove_resources: tuple[GrantInfo, ...] | Absent = ABSENT


class Granting(Api, bases=("/granting/v1",)):
    """Granting (7.5); a refusal is a 403 that says why."""

    @post("/grants", refuses=(400, 401, 403))
    async def request_grant(self, request: GrantRequest) -> Created[Grant]:
        """Ask for a grant; the same operation asked for again gets the same grant (7.5.1.3.1)."""

    @get("/grants/{grant_id}")
    async def read_grant(self, grant_id: str) -> Grant:
        """A grant (7.5.2.3.2)."""
