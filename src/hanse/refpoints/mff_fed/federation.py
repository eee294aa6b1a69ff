"""What federation managers say to each other (ours; see docs/decisions/0006)."""

from __future__ import annotations

from hanse.kit.contract.declare import Api, delete, get, put
from hanse.kit.values import Value
from hanse.refpoints.mfm_fed.members import MemberQuery


class FederationTerms(Value):
    """What a manager brings when a federation is formed: its operator's name."""

    operator: str


class FederationAnswer(Value):
    """What the other answers: its operator's name, and whether the agreement is open on its side."""

    operator: str
    open: bool


class OfferedSystem(Value):
    """A system that the caller may know of (ETSI GS MEC 040 V3.1.1, 6.2.2: id, name, provider and no more)."""

    system_id: str
    system_name: str
    system_provider: str


class Federation(Api, bases=("/mff_fed/v1",)):
    """Forming and ending a federation, and looking up its members. The caller is known by its certificate."""

    @put("/federation", routine=True)
    async def form(self, terms: FederationTerms) -> FederationAnswer:
        """Form a federation, or make sure that it stands; said again and again as a sign of life."""

    @delete("/federation")
    async def end(self) -> None:
        """The caller has ended the agreement."""

    @get("/systems")
    async def offered_systems(self, query: MemberQuery) -> list[OfferedSystem]:
        """Systems that offer the caller a service of one of these names (ETSI GR MEC 035, 6.5.2, step 5)."""
