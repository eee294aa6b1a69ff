"""A host by itself: what its platform gets where others have a manager."""

from __future__ import annotations

from hanse.refpoints.mm3.management import FoundService, PlatformReport, ServiceWanted
from hanse.refpoints.mm5.platform import ManagerLookup


class AloneManager(ManagerLookup):
    """Without other hosts and partners nothing is found elsewhere, and nobody places apps by what is offered here."""

    async def find_service(self, query: ServiceWanted) -> list[FoundService]:  # noqa: ARG002
        """Nothing: there is no elsewhere."""
        return []

    async def report_services(self, host: str, report: PlatformReport) -> None:
        """Taken, and of no consequence."""
