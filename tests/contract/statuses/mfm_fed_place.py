"""The federation manager as its orchestrators and others call it over Mfm-fed (ETSI GS MEC 040 V3.1.1)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hanse.assembly.identities import Identities
from hanse.kit.contract.declare import Api
from hanse.refpoints.mfm_fed.system_info import FederationEnablement
from tests.contract.mfm_fed_federation import managing
from tests.contract.mp1_host import Reply
from tests.contract.statuses.certified import Callers, callers
from tests.contract.statuses.faults import common_rows
from tests.contract.statuses.row import Row, declared_rows, row, taken
from tests.contract.statuses.wish import Wish
from tests.contract.wired import deployed

OPERATIONS = FederationEnablement.operations


@dataclass
class MfmFedPlace:
    """A manager with the systems that the examples register."""

    callers: Callers
    identities: Identities
    kept: dict[str, Wish] = field(default_factory=dict)

    async def example(self, api: type[Api], name: str) -> Wish:
        """A call that succeeds, of a system of its own."""
        operation = api.operations[name]
        values = {"system_id": await self.registered()} if operation.path_parameters else {}
        body = {"register_system": _system(), "update_system": {"systemName": fresh()}}.get(name)
        return Wish(api, operation, values, body)

    async def standing(self, api: type[Api], name: str) -> Wish:
        """The same call each time."""
        if name not in self.kept:
            self.kept[name] = await self.example(api, name)
        return self.kept[name]

    async def ask(self, wish: Wish) -> Reply:
        """The manager's answer."""
        return await self.callers.ask(wish, "meo")

    async def registered(self, body: dict[str, Any] | None = None) -> str:
        """The id of a system that was registered."""
        wish = Wish(FederationEnablement, OPERATIONS["register_system"], {}, body or _system())
        return str((await self.ask(wish)).body["systemId"])


def fresh() -> str:
    """A name that nothing has."""
    return f"system-{uuid.uuid4().hex[:8]}"


def _system() -> dict[str, Any]:
    return {"systemName": fresh(), "systemProvider": "north"}


@asynccontextmanager
async def mfm_fed_place(directory: Path) -> AsyncIterator[MfmFedPlace]:
    """North's manager, and a strict one."""
    with deployed(directory / "north") as deployment:
        async with managing(deployment, "north") as manager:
            identities = manager.built.wiring.identities
            names = ("meo", "meo.second", "names.harbour")
            async with callers(manager.base, identities, "federation_manager", names, directory / "strict") as known:
                yield MfmFedPlace(known, identities)


async def registered_already(place: MfmFedPlace) -> Wish:
    """A name that another system has."""
    wish = await place.example(FederationEnablement, "register_system")
    await place.registered(wish.body)
    return wish


async def with_id(place: MfmFedPlace) -> Wish:
    """The id is the manager's to give."""
    wish = await place.example(FederationEnablement, "register_system")
    return replace(wish, body=wish.body | {"systemId": "mine"})


async def name_taken(place: MfmFedPlace) -> Wish:
    """A name that another system has."""
    other = _system()
    await place.registered(other)
    wish = await place.example(FederationEnablement, "update_system")
    return replace(wish, body={"systemName": other["systemName"]})


async def nothing_changed(place: MfmFedPlace) -> Wish:
    """A change must change something."""
    return replace(await place.standing(FederationEnablement, "update_system"), body={})


SPECIAL = (
    row(FederationEnablement, "register_system", 400, "an id of its own", with_id, "systemId"),
    row(FederationEnablement, "register_system", 403, "registered already", registered_already, "registered"),
    row(FederationEnablement, "update_system", 400, "nothing", nothing_changed, "systemName"),
    row(FederationEnablement, "update_system", 403, "a name that is taken", name_taken, "registered"),
)
ROWS: tuple[Row, ...] = (
    *declared_rows(FederationEnablement, OPERATIONS),
    *common_rows(FederationEnablement, taken([FederationEnablement])),
    *SPECIAL,
)
