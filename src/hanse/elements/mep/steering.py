"""Steering: brings the data plane and the name server to what the records say, whatever happened to either."""

from __future__ import annotations

import asyncio

from hanse.elements.mep.devices import Devices
from hanse.elements.mep.led import name_of, owner_of, records_of
from hanse.elements.mep.records import Records
from hanse.elements.mep.rules import forwardings, names
from hanse.elements.mep.tags import TagAddresses, resolved
from hanse.kit.failpoints import effect
from hanse.refpoints.mp2 import DataPlane, NameRecord, NameRecords, NameServer


class Steering:
    """Reconciles by owner: one app's change touches nobody else's rules."""

    def __init__(
        self,
        records: Records,
        data_plane: DataPlane,
        name_server: NameServer,
        tags: TagAddresses,
        devices: Devices = Devices(),  # noqa: B008 (nobody changes it)
    ) -> None:
        self._records = records
        self._data_plane = data_plane
        self._name_server = name_server
        self._tags = tags
        self._devices = devices
        self._lock = asyncio.Lock()

    async def restore(self) -> None:
        """After a restart: put back what is missing, take out what belongs to nobody."""
        installed = {f.owner for f in await self._data_plane.forwardings()}
        published = {r.owner for r in await self._name_server.records()}
        known = {app.app_instance_id for app in self._records.apps.values()}
        known |= {owner_of(policy.name) for policy in self._records.policies.values()}
        for owner in known | installed | published:
            await self.apply(owner)

    async def apply(self, app_instance_id: str) -> None:
        """Make the rules in force of one app those of its record; none if it has no record."""
        async with self._lock:
            await self._apply_forwardings(app_instance_id)
            await self._apply_names(app_instance_id)

    @effect("mep.rules")
    async def _apply_forwardings(self, app_instance_id: str) -> None:
        app = self._records.apps.find(app_instance_id)
        wanted = {f.rule_id: f for f in (forwardings(resolved(app, self._tags)) if app else [])}
        present = {f.rule_id: f for f in await self._data_plane.forwardings() if f.owner == app_instance_id}
        for rule_id in present.keys() - wanted.keys():
            await self._data_plane.withdraw(rule_id)
        for rule_id, forwarding in wanted.items():
            if present.get(rule_id) != forwarding:
                await self._data_plane.install(rule_id, forwarding)

    @effect("mep.names")
    async def _apply_names(self, app_instance_id: str) -> None:
        present = {r.record_id: r for r in await self._name_server.records() if r.owner == app_instance_id}
        name = name_of(app_instance_id)
        if name is not None:
            await self._apply_policy(app_instance_id, name, list(present.values()))
            return
        app = self._records.apps.find(app_instance_id)
        wanted = {r.record_id: r for r in (names(app) if app else [])}
        for record_id in present.keys() - wanted.keys():
            await self._name_server.retract(record_id)
        for record_id, record in wanted.items():
            if present.get(record_id) != record:
                await self._name_server.publish(record_id, record)

    async def _apply_policy(self, owner: str, name: str, present: list[NameRecord]) -> None:
        """All records of a policy at once: between two of them a device would be led to where nobody meant."""
        policy = self._records.policies.find(name)
        wanted = records_of(policy, self._devices) if policy else ()
        if sorted(present, key=_id) != sorted(wanted, key=_id):
            await self._name_server.publish_all(owner, NameRecords(records=wanted))


def _id(record: NameRecord) -> str:
    return record.record_id
