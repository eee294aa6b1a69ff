"""The orchestrator in a federation: finds services of partners, tells partners of its own.

ETSI GR MEC 035, 6.5.2, steps 4 to 8, and recommendations 5.5.2-1 and 5.5.2-4.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence

from hanse.elements.meo.domain import nearest
from hanse.elements.meo.hosts import Host
from hanse.elements.meo.records import Membership as OwnMembership
from hanse.elements.meo.records import Records
from hanse.kit.contract.call import continuing, new_trace
from hanse.kit.problems import Problem, not_found
from hanse.kit.store import Store
from hanse.kit.values import ABSENT, Absent
from hanse.model.place import Position
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery, PlatformOffer, SharedService
from hanse.refpoints.mfm_fed.members import (
    Member,
    MemberQuery,
    Membership,
    RegisteredService,
    SystemResources,
    ZoneResources,
)
from hanse.refpoints.mfm_fed.system_info import FederationEnablement, SystemInfo
from hanse.refpoints.mm3.management import FoundService, OfferedService, PlatformReport, ServiceWanted
from hanse.refpoints.mp1.services import LocalityType, ServiceState

log = logging.getLogger("hanse.meo")

PEER_PATIENCE = 2.0
"""Seconds that a partner may take for one answer."""
RENEWAL = 60.0
"""Seconds after which the registration is said again, even if nothing changed."""


class FederationLookup:
    """Finds services in systems of partners."""

    def __init__(self, membership: Membership, peer: Callable[[str], PlatformDiscovery]) -> None:
        self._membership = membership
        self._peer = peer

    async def find(self, wanted: ServiceWanted) -> list[FoundService]:
        """Services on the platform that suits the device best; none where nobody offers them."""
        if isinstance(wanted.ser_name, Absent):
            return []
        query = MemberQuery(ser_name=wanted.ser_name)
        members = await self._membership.find_members(query)  # steps 4 and 5: Mfm-fed, Mff-fed
        answers = await asyncio.gather(*(self._platforms(m, query) for m in members))  # steps 6 and 7: Meo-fed
        offers = [(member.partner, offer) for member, found in zip(members, answers, strict=True) for offer in found]
        return best(offers, wanted.position())  # step 8

    async def _platforms(self, member: Member, query: MemberQuery) -> list[PlatformOffer]:
        try:
            with continuing(patience=PEER_PATIENCE):
                return await self._peer(member.partner).platforms(member.system_id, query)
        except Problem as problem:
            log.warning("asking %s for platforms failed: %s", member.partner, problem)
            return []


def best(offers: Sequence[tuple[str, PlatformOffer]], position: Position | None) -> list[FoundService]:
    """The services of the platform that is nearest to the device."""
    chosen = nearest([offer for _, offer in offers], position)
    if chosen is None:
        return []
    partner = next(partner for partner, offer in offers if offer is chosen)
    return [
        FoundService(
            system=partner,
            reference=service.reference,
            ser_name=service.ser_name,
            version=service.version,
            state=service.state,
            serializer=service.serializer,
            transport_type=service.transport_type,
            transport_version=service.transport_version,
            zone=chosen.zone.name,
        )
        for service in chosen.services
    ]


class SharedPlatforms(PlatformDiscovery):
    """Tells, through the border, which platforms offer a service. What is shared is the border's to decide."""

    def __init__(self, records: Records, hosts: Mapping[str, Host]) -> None:
        self._records = records
        self._hosts = hosts

    async def platforms(self, system_id: str, query: MemberQuery) -> list[PlatformOffer]:
        """Platforms of this system with services that may be consumed from elsewhere."""
        own = self._records.membership.find("own")
        if own is None or own.system_id != system_id:
            raise not_found("system", system_id)
        offers = []
        for report in self._records.reports.values():
            services = tuple(_shared(report, s) for s in report.services if _offered(s, query))
            if services and report.host in self._hosts:
                zone = self._hosts[report.host].zone
                offers.append(PlatformOffer(platform_id=report.host, zone=zone, services=services))
        return offers


def _offered(service: OfferedService, query: MemberQuery) -> bool:
    named = isinstance(query.ser_name, Absent) or service.ser_name in query.ser_name
    reachable = not service.consumed_local_only and service.scope_of_locality is LocalityType.MEC_SYSTEM
    return named and reachable and service.state is ServiceState.ACTIVE


def _shared(report: PlatformReport, service: OfferedService) -> SharedService:
    return SharedService(
        reference=f"{report.host}/{service.ser_instance_id}",
        ser_name=service.ser_name,
        version=service.version,
        state=service.state,
        serializer=service.serializer,
        transport_type=service.transport_type,
        transport_version=service.transport_version,
    )


class Registrar:
    """Keeps the system registered with its federation manager, with what it has (recommendation 5.5.2-1)."""

    def __init__(
        self,
        operator: str,
        store: Store,
        records: Records,
        hosts: Mapping[str, Host],
        enablement: FederationEnablement,
        membership: Membership,
    ) -> None:
        self._operator = operator
        self._store = store
        self._records = records
        self._hosts = hosts
        self._enablement = enablement
        self._membership = membership
        self._dirty = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
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
        self._task = asyncio.create_task(self._register_forever())

    async def shut_down(self) -> None:
        """Stop registering; the registration stands."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _register_forever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._dirty.wait(), RENEWAL)
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
            system = SystemInfo(system_name=self._operator, system_provider=self._operator)
            created = await self._enablement.register_system(system)
            own = OwnMembership(system_id=str(created.value.system_id))
            await self._store.commit(lambda tx: tx.put(self._records.membership, "own", own))
        resources = await self._resources()
        await self._membership.register_resources(own.system_id, resources)
        self._registered = tuple(service.ser_name for service in resources.services)

    async def _resources(self) -> SystemResources:
        zones = [await self._zone(host) for host in self._hosts.values()]
        apps = {i.id: i.descriptor.app_name for i in self._records.instances.values()}
        services = {
            (s.ser_name, s.version): RegisteredService(
                ser_name=s.ser_name, version=s.version, app_name=apps.get(s.app_instance_id, "")
            )
            for report in self._records.reports.values()
            for s in report.services
            if _offered(s, MemberQuery(ser_name=ABSENT))
        }
        return SystemResources(zones=tuple(zones), services=tuple(services.values()))

    async def _zone(self, host: Host) -> ZoneResources:
        try:
            capacity = await host.infrastructure.capacity()
            memory, cpu = capacity.memory, capacity.cpu_milli
        except Problem:
            memory, cpu = 0, 0
        return ZoneResources(zone=host.zone, memory=memory, cpu_milli=cpu, network="IPv4")
