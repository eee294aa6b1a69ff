"""What a federation manager keeps."""

from __future__ import annotations

from hanse.kit.store import Shelf, Store
from hanse.kit.values import Value
from hanse.refpoints.mfm_fed.members import SystemResources
from hanse.refpoints.mfm_fed.system_info import SystemInfo
from hanse.refpoints.mp1.services import EndPointInfo


class SystemRecord(Value):
    """A system that registered here, what it has, and where it is reached (stored, never shown)."""

    info: SystemInfo
    owner: str
    resources: SystemResources = SystemResources(zones=(), services=())
    endpoint: EndPointInfo | None = None


class AgreementRecord(Value):
    """How it stands with a partner's agreement; it is open while neither side has closed it."""

    partner: str
    closed_here: bool = False
    closed_there: bool = False
    epoch: int = 1

    @property
    def open(self) -> bool:
        """Whether the agreement holds."""
        return not (self.closed_here or self.closed_there)


class Records:
    """The shelves of a federation manager."""

    def __init__(self, store: Store) -> None:
        self.systems: Shelf[SystemRecord] = store.shelf("system", SystemRecord)
        self.agreements: Shelf[AgreementRecord] = store.shelf("agreement", AgreementRecord)
