"""What an administrator sees and does through the OSS."""

from __future__ import annotations

from hanse.kit.contract.declare import Api, get, post
from hanse.kit.values import Value
from hanse.refpoints.mfm_fed.members import Partner
from hanse.refpoints.mm1.topology import SystemOverview


class OperatorOverview(Value):
    """An operator at a glance: its system and its partners."""

    system: SystemOverview
    partners: tuple[Partner, ...]


class Overview(Api, bases=("/mx1/v1",)):
    """The whole at a glance, and the agreements with partners."""

    @get("/overview")
    async def overview(self) -> OperatorOverview:
        """Hosts, apps and partners as they are now."""

    @post("/partners/{partner}/close", success=204)
    async def close_agreement(self, partner: str) -> None:
        """End the agreement with a partner."""

    @post("/partners/{partner}/open", success=204)
    async def open_agreement(self, partner: str) -> None:
        """Begin the agreement with a partner anew."""
