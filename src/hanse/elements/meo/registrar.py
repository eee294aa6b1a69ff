"""The registrar: keeps the system known to its federation manager (ETSI GR MEC 035, recommendation 5.5.2-1)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from hanse.elements.meo.hosts import Host
from hanse.elements.meo.lookup import offered
from hanse.elements.meo.presence import Presence
from hanse.elements.meo.records import Membership as OwnMembership
from hanse.elements.meo.records import Records
from hanse.kit.background import Background
from hanse.kit.contract.call import continuing, new_trace
from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.kit.values import ABSENT
from hanse.refpoints.mfm_fed.members import (
    MemberQuery,
    Membership,
    RegisteredApp,
    RegisteredService,
    SystemResources,
    ZoneResources,
)
from hanse.refpoints.mfm_fed.system_info import FederationEnablement, SystemInfo, SystemQuery
from hanse.refpoints.mm1.lifecycle import OperationalState

log = logging.getLogger("hanse.meo")

RENEWAL = 60.0
"""Seconds after which the registration is said again, even if nothing changed."""


class Registrar:
    """Keeps the system registered with its federation manager, with what it has (recommendation 5.5.2-1)."""

    def __init__(
        self,
        operator: str,
        store: Store,
        records: Records,
        hosts: Mapping[str, Host],
        presence: Presence,
        enablement: FederationEnablement,
        membership: Membership,
    ) -> None:
        self._operator = operator
        self._store = store
        self._records = records
        self._hosts = hosts
        self._presence = presence
        self._enablement = enablement
        self._membership = membership
        self._dirty = asyncio.Event()
        self._background = Background()
        self._registered: tuple[str, ...] = ()

    def registered(self) -> tuple[str, ...]:
        """The services with which the system is registered now."""
        return self._registered

    def changed(self) -> None:
        """Something to be registered has changed."""
        self._dirty.set()

    async def start_up(self) -> None:
        """Begin to register."""
        self._dirty.set()
        self._background.start(self._register_forever())

    async def shut_down(self) -> None:
        """Stop registering; the registration stands."""
        await self._background.stop()

    async def _register_forever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEWAL):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._dirty.wait()
            self._dirty.clear()
            try:
                with continuing(new_trace()):
                    await self._register()
            except Problem as problem:
                log.info("registering with the federation manager failed: %s", problem)
                self._dirty.set()
                await asyncio.sleep(0.3)

    async def _register(self) -> None:
        own = self._records.membership.find("own")
        if own is None:
            own = OwnMembership(system_id=await self._system_id())
            await self._store.commit(lambda tx: tx.put(self._records.membership, "own", own))
        resources = await self._resources()
        try:
            await self._membership.register_resources(own.system_id, resources)
        except Problem as problem:
            if problem.status == 404:  # the manager has begun anew and knows no such system: so do we
                await self._store.commit(lambda tx: tx.delete(self._records.membership, "own"))
            raise
        self._registered = tuple(service.ser_name for service in resources.services)

    async def _system_id(self) -> str:
        """The id that the manager gives, or has given to an earlier run that ended before it had noted it."""
        system = SystemInfo(system_name=self._operator, system_provider=self._operator)
        try:
            return str((await self._enablement.register_system(system)).value.system_id)
        except Problem as problem:
            if problem.status != 403:
                raise
            query = SystemQuery(system_name=(self._operator,), system_provider=(self._operator,))
            known = await self._enablement.list_systems(query)
            if not known:
                raise
            return str(known[0].system_id)

    async def _resources(self) -> SystemResources:
        zones = [await self._zone(host) for host in self._hosts.values()]
        apps = {i.id: i.descriptor.app_name for i in self._records.instances.values()}
        services = {
            (s.ser_name, s.version): RegisteredService(
                ser_name=s.ser_name, version=s.version, app_name=apps.get(s.app_instance_id, "")
            )
            for report in self._records.reports.values()
            for s in report.services
            if report.host in self._hosts
            and not self._presence.silent(report.host)
            and offered(s, MemberQuery(ser_name=ABSENT))
        }
        return SystemResources(zones=tuple(zones), services=tuple(services.values()), apps=self._apps())

    def _apps(self) -> tuple[RegisteredApp, ...]:
        """Each application that runs, with the zones of its instances."""
        instances = self._records.instances.values()
        running = [i for i in instances if i.running is OperationalState.STARTED and i.host in self._hosts]
        places: dict[str, set[str]] = {}
        for instance in running:
            places.setdefault(instance.descriptor.app_d_id, set()).add(self._hosts[instance.host].zone.name)
        known = {instance.descriptor.app_d_id: instance.descriptor for instance in running}
        return tuple(
            RegisteredApp(
                app_d_id=identifier,
                app_name=appd.app_name,
                app_provider=appd.app_provider,
                app_soft_version=appd.app_soft_version,
                zones=tuple(sorted(places[identifier])),
            )
            for identifier, appd in known.items()
        )

    async def _zone(self, host: Host) -> ZoneResources:
        try:
            capacity = await host.infrastructure.capacity()
        except Problem:
            return ZoneResources(zone=host.zone, memory=0, cpu_milli=0, network="")
        return ZoneResources(
            zone=host.zone,
            memory=capacity.memory,
            cpu_milli=capacity.cpu_milli,
            network=capacity.network,
            addresses=capacity.addresses,
        )
