"""Two federation managers that reach each other directly, as through borders that know who calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from hanse.elements.federation_manager import FederationManager
from hanse.kit.contract.call import Caller, continuing, first_call, serving
from hanse.kit.problems import forbidden, unreachable
from hanse.kit.store import Store
from hanse.refpoints.mff_fed.federation import Federation, FederationAnswer, FederationTerms, OfferedSystem
from hanse.refpoints.mfm_fed.members import MemberQuery, Partner, PartnerState
from tests.bounds import SOON


class Line(Federation):
    """The way to a partner's manager; it may be cut, and what goes over it is counted."""

    def __init__(self, operator: str, there: Callable[[], Federation]) -> None:
        self._operator, self._there = operator, there
        self.cut = False
        self.error: Exception | None = None
        self.unheard = 0
        """How often the border there refuses yet, as it has not heard of the agreement."""

    async def form(self, terms: FederationTerms) -> FederationAnswer:
        with continuing(tenant=self._operator):
            return await self._reached().form(terms)

    async def end(self) -> None:
        with continuing(tenant=self._operator):
            await self._reached().end()

    async def offered_systems(self, query: MemberQuery) -> list[OfferedSystem]:
        if self.unheard:
            self.unheard -= 1
            raise forbidden("the agreement is not open")
        with continuing(tenant=self._operator):
            return await self._reached().offered_systems(query)

    def _reached(self) -> Federation:
        if self.error is not None:
            raise self.error
        if self.cut:
            raise unreachable("partner")
        return self._there()


@dataclass
class Bench:
    """The managers of north and south."""

    stores: list[Store] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.to_south = Line("north", lambda: self.south)
        self.to_north = Line("south", lambda: self.north)
        self.north = self.manager("north", "south", self.to_south)
        self.south = self.manager("south", "north", self.to_north)

    def manager(self, operator: str, partner: str, line: Federation, store: Store | None = None) -> FederationManager:
        if store is None:
            store = Store()
            self.stores.append(store)
        return FederationManager(
            operator, f"https://{operator}", store=store, partners=[partner], peer=lambda _name: line, period=0.02
        )

    async def start(self) -> None:
        await asyncio.gather(self.north.start_up(), self.south.start_up())

    async def close(self) -> None:
        await asyncio.gather(self.north.shut_down(), self.south.shut_down())
        for store in self.stores:
            store.close()

    async def both(self, state: PartnerState) -> None:
        await reaches(self.north, state)
        await reaches(self.south, state)


async def partner_of(manager: FederationManager) -> Partner:
    [partner] = await manager.list_partners()
    return partner


async def reaches(manager: FederationManager, state: PartnerState) -> Partner:
    """The one partner of a manager, once it is in a state."""
    async with asyncio.timeout(SOON):
        while (partner := await partner_of(manager)).state is not state:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return partner


def orchestrator(name: str = "meo") -> AbstractContextManager[None]:
    """As the orchestrator of this name."""
    return serving(first_call(Caller(role="meo", name=name, operator="north", trusted=True)))
