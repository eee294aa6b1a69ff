"""Mp1, UE identity: tags that stand for devices (ETSI GS MEC 014 V2.1.1, clauses 6 and 7)."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

import msgspec

from hanse.kit.contract.declare import Api, Tagged, get, put
from hanse.kit.values import Value


class TagState(IntEnum):
    """Whether an app has registered a tag (6.2.2)."""

    UNREGISTERED = 0
    REGISTERED = 1


class UeIdentityTag(Value):
    """A tag and its state (6.2.2); a tag stands for one device, by a mapping that only the operator knows."""

    ue_identity_tag: str
    state: TagState


class UeIdentityTagInfo(Value):
    """One or more tags, each once (6.2.2)."""

    ue_identity_tags: tuple[UeIdentityTag, ...]


class TagQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The tags that are asked for, at least one (7.3.3.1); the official file writes the name in small letters."""

    __aliases__: ClassVar[dict[str, str]] = {"ueidentitytag": "ueIdentityTag"}

    ue_identity_tag: tuple[str, ...]


class UeIdentity(Api, bases=("/ui/v1",)):
    """UE identity tags of an app, which must be the caller."""

    @get("/{app_instance_id}/ue_identity_tag_info")
    async def read_tags(self, app_instance_id: str, query: TagQuery) -> Tagged[UeIdentityTagInfo]:
        """The states of these tags; 404 for a tag that stands for no device here (7.3.3.1)."""

    @put("/{app_instance_id}/ue_identity_tag_info", refuses=(400, 401, 403, 404, 412))
    async def set_tags(self, app_instance_id: str, tags: UeIdentityTagInfo) -> Tagged[UeIdentityTagInfo]:
        """Register and deregister tags, all or none; traffic rules that name them follow (5.2.2, 7.3.3.2)."""
