"""Mfm-fed, systems: those registered here, and those of partners (ETSI GS MEC 040 V3.1.1, 7)."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import msgspec

from hanse.elements.federation_manager.records import Records, SystemRecord
from hanse.kit.contract.call import current_call
from hanse.kit.contract.declare import Created
from hanse.kit.problems import bad_request, forbidden, not_found
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT, Absent
from hanse.refpoints.mfm_fed.system_info import FederationEnablement, SystemInfo, SystemInfoUpdate, SystemQuery


class Systems(FederationEnablement):
    """The registry of systems; partners' systems are known from the last sign of life of each partner."""

    def __init__(self, url: str, store: Store, records: Records, of_partners: Callable[[], list[SystemInfo]]) -> None:
        self._base = f"{url}/fed_enablement/v1"
        self._store = store
        self._records = records
        self._of_partners = of_partners

    async def list_systems(self, query: SystemQuery) -> list[SystemInfo]:
        """Systems of the whole federation that fit."""
        known = [record.info for record in self._records.systems.values()] + self._of_partners()
        return [system for system in known if _fits(system, query)]

    async def register_system(self, system: SystemInfo) -> Created[SystemInfo]:
        """Give the caller's system an id; the same name and provider again is refused."""
        if system.system_id is not ABSENT:
            raise bad_request("Unexpected attribute systemId", "the federation manager gives it")
        if not system.system_name or not system.system_provider:
            raise bad_request("Invalid attribute systemName", "systemName and systemProvider are not empty")
        identifier = str(uuid.uuid4())
        info = msgspec.structs.replace(system, system_id=identifier)
        record = SystemRecord(info=info, owner=current_call().caller.name)

        def decide(tx: Transaction) -> None:
            self._check_unique(tx, info)
            tx.put(self._records.systems, identifier, record)

        await self._store.commit(decide)
        return Created(info, f"{self._base}/fed_resources/system_info/{identifier}")

    async def read_system(self, system_id: str) -> SystemInfo:
        """One system of the federation; no partner can speak for one that is registered here."""
        own = self._records.systems.find(system_id)
        theirs = (system for system in self._of_partners() if system.system_id == system_id)
        found = own.info if own is not None else next(theirs, None)
        if found is None:
            raise not_found("system", system_id)
        return found

    async def update_system(self, system_id: str, change: SystemInfoUpdate) -> SystemInfo:
        """Change what the caller itself registered."""
        if isinstance(change.system_name, Absent) and isinstance(change.endpoint, Absent):
            raise bad_request("Nothing to change", "give systemName, endpoint, or both")
        if change.system_name == "":
            raise bad_request("Invalid attribute systemName", "it is not empty")
        if not isinstance(change.endpoint, Absent):
            given = [n for n in ("uris", "fqdn", "addresses", "alternative") if getattr(change.endpoint, n)]
            if len(given) != 1:
                raise bad_request("Invalid attribute endpoint", "exactly one of uris, fqdn, addresses, alternative")

        def decide(tx: Transaction) -> SystemInfo:
            record = self._own(tx, system_id)
            if not isinstance(change.system_name, Absent):
                info = msgspec.structs.replace(record.info, system_name=change.system_name)
                self._check_unique(tx, info)
                record = msgspec.structs.replace(record, info=info)
            if not isinstance(change.endpoint, Absent):
                record = msgspec.structs.replace(record, endpoint=change.endpoint)
            tx.put(self._records.systems, system_id, record)
            return record.info

        return await self._store.commit(decide)

    async def deregister_system(self, system_id: str) -> None:
        """Remove what the caller itself registered."""

        def decide(tx: Transaction) -> None:
            self._own(tx, system_id)
            tx.delete(self._records.systems, system_id)

        await self._store.commit(decide)

    def _check_unique(self, tx: Transaction, info: SystemInfo) -> None:
        """403 if another system here has this name of this provider already."""
        for known in (record.info for record in tx.values(self._records.systems)):
            same = (known.system_name, known.system_provider) == (info.system_name, info.system_provider)
            if same and known.system_id != info.system_id:
                raise forbidden("System is registered", f"{info.system_name} of {info.system_provider} has an id")

    def _own(self, tx: Transaction, system_id: str) -> SystemRecord:
        record = tx.get(self._records.systems, system_id)
        if record.owner != current_call().caller.name:
            raise forbidden("Not yours", "only the orchestrator that registered a system may change it")
        return record


def _fits(system: SystemInfo, query: SystemQuery) -> bool:
    return (
        _among(system.system_id, query.system_id)
        and _among(system.system_name, query.system_name)
        and _among(system.system_provider, query.system_provider)
    )


def _among(value: object, wanted: tuple[str, ...] | Absent) -> bool:
    return isinstance(wanted, Absent) or value in wanted
