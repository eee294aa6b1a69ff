"""Steering: brings the data plane and the name server to what the records say, whatever happened to either."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Set

from hanse.elements.mep.app_rules.rules import names
from hanse.elements.mep.records import Records
from hanse.elements.mep.steering.devices import Devices
from hanse.elements.mep.steering.led import name_of, owner_of, records_of
from hanse.elements.mep.steering.shared_addresses import SharedAddresses
from hanse.kit.contract.call import UNTRACED, continuing
from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import DataPlane, Forwarding, NameRecord, NameRecords, NameServer

log = logging.getLogger("hanse.mep")

FOLLOW_PATIENCE = 3.0
"""Seconds for the rules of one instance; what fails is tried again when all is restored."""


class Steering:
    """Reconciles by owner: one app's change touches nobody else's rules."""

    def __init__(
        self,
        records: Records,
        data_plane: DataPlane,
        name_server: NameServer,
        addresses: SharedAddresses,
        devices: Devices,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """``changed`` is told when rules of this host's apps may have changed."""
        self._records = records
        self._data_plane = data_plane
        self._name_server = name_server
        self._addresses = addresses
        self._devices = devices
        self._changed = changed
        self._lock = asyncio.Lock()
        self._common: bool | None = None
        self._behind: set[str] = set()
        self._news = asyncio.Event()

    async def restore(self) -> None:
        """After a restart: put back what is missing, take out what belongs to nobody."""
        installed = {f.owner for f in await self._data_plane.forwardings()}
        published = {r.owner for r in await self._name_server.records()}
        known = {app.app_instance_id for app in self._records.apps.values()}
        known |= {owner_of(policy.name) for policy in self._records.policies.values()}
        for owner in known | installed | published | self._addresses.owners():
            await self._apply(owner)

    async def apply(self, app_instance_id: str) -> None:
        """Make the rules in force of one app those of its record; none if it has no record.

        What that means for other instances of the app follows by itself.
        """
        await self._apply(app_instance_id)
        self._follow(self._addresses.kin(app_instance_id))
        self._changed()

    def neighbours_changed(self, packages: Set[str], gone: Set[str]) -> None:
        """Other hosts lead devices to apps of these packages in another way now; some instances are ``gone``."""
        self._follow(self._addresses.members(packages) | gone)

    async def follow(self) -> None:
        """Bring the rules of instances of one app into line with each other as they change, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            behind, self._behind = self._behind, set()
            for owner in sorted(behind):
                try:
                    with continuing(UNTRACED, patience=FOLLOW_PATIENCE):
                        await self._apply(owner)
                except Problem as problem:
                    log.info("rules of %s are not in force yet: %s", owner, problem)

    def _follow(self, owners: Set[str]) -> None:
        self._behind |= owners
        if self._behind:
            self._news.set()

    async def _apply(self, owner: str) -> None:
        async with self._lock:
            await self._apply_forwardings(owner)
            await self._apply_names(owner)

    @effect("mep.rules")
    async def _apply_forwardings(self, app_instance_id: str) -> None:
        wanted = {f.rule_id: f for f in await self._wanted(app_instance_id)}
        present = {f.rule_id: f for f in await self._data_plane.forwardings() if f.owner == app_instance_id}
        for rule_id in present.keys() - wanted.keys():
            await self._data_plane.withdraw(rule_id)
        for rule_id, forwarding in wanted.items():
            if present.get(rule_id) != forwarding:
                await self._data_plane.install(rule_id, forwarding)

    async def _wanted(self, owner: str) -> list[Forwarding]:
        if self._common is None:
            self._common = (await self._data_plane.capabilities()).common
        return self._addresses.wanted(owner, self._common)

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
