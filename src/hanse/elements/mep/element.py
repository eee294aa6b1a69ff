"""The platform: what an app sees of the MEC system (ETSI GS MEC 003, 7.1.2)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from hanse.elements.mep.access import Access
from hanse.elements.mep.configuration import Configuration
from hanse.elements.mep.index import ServiceIndex
from hanse.elements.mep.liveness import Liveness, LivenessPolicy
from hanse.elements.mep.notices import Notices
from hanse.elements.mep.records import Records
from hanse.elements.mep.registrations import AppRegistry
from hanse.elements.mep.remote import LocalConsumption, RemoteConsumption, RemoteLookup
from hanse.elements.mep.services import ServiceRegistry
from hanse.elements.mep.standing import Standings
from hanse.elements.mep.steering import Steering
from hanse.elements.mep.support import AppSupport
from hanse.elements.mep.tags import TagAddresses
from hanse.elements.mep.timing import TimeOfDay
from hanse.elements.mep.ue_identity import UeTags
from hanse.kit.callbacks import Callbacks
from hanse.kit.contract.call import UNTRACED, continuing
from hanse.kit.contract.declare import Api
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.kit.tokens import TokenIssuer
from hanse.kit.values import Value
from hanse.model.place import Position
from hanse.refpoints.mm3.management import OfferedService, PlatformReport
from hanse.refpoints.mm5.platform import ManagerLookup, PlatformConfiguration
from hanse.refpoints.mp1.liveness import ServiceLiveness
from hanse.refpoints.mp1.registrations import Registrations
from hanse.refpoints.mp1.remote import RemoteServices
from hanse.refpoints.mp1.services import ServiceManagement, TransportInfo
from hanse.refpoints.mp1.support import ApplicationSupport
from hanse.refpoints.mp1.timing import Timing
from hanse.refpoints.mp1.ue_identity import UeIdentity
from hanse.refpoints.mp2 import DataPlane, NameServer
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption

log = logging.getLogger("hanse.mep")

REPORT_PAUSE = 0.05
"""Seconds in which changes of services gather before they are reported upwards."""

STEER_PERIOD = 3.0
"""Seconds between two looks at whether the data plane and the name server still have what they were told."""


class ReportNumber(Value):
    """The number of the last report upwards."""

    number: int


class Platform:
    """The platform of one host, put together from its parts; `apis` tells which part provides which API."""

    def __init__(
        self,
        host: str,
        operator: str,
        url: str,
        *,
        store: Store,
        outbox: Outbox,
        callbacks: Callbacks,
        manager: ManagerLookup,
        data_plane: DataPlane,
        name_server: NameServer,
        partner: Callable[[str], ServiceConsumption],
        neighbour: Callable[[str], ServiceConsumption],
        producer: Callable[[str], ServiceConsumption],
        devices: Mapping[str, Position],
        tags: TagAddresses,
        issuer: TokenIssuer,
        seed: bytes,
        authority: str,
        liveness: LivenessPolicy = LivenessPolicy(),  # noqa: B008 (frozen)
    ) -> None:
        self._host = host
        self._store = store
        self._manager = manager
        self.records = Records(store)
        self._numbers = store.shelf("report_number", ReportNumber)
        self._dirty = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.steering = Steering(self.records, data_plane, name_server, tags)
        self.access = Access(url, operator, self.records, issuer, seed, authority)
        notices = Notices(url, self.records, outbox, callbacks)
        standings = Standings(self.records)
        lookup = RemoteLookup(url, store, self.records, manager, data_plane, devices)
        index = ServiceIndex(self._dirty.set)
        self.liveness = Liveness(store, self.records, notices, index, liveness)
        self.services = ServiceRegistry(url, store, self.records, notices, lookup, index, self.liveness)
        self.support = AppSupport(url, store, self.records, self.steering, standings)
        self.registrations = AppRegistry(url, store, self.records)
        self.time_of_day = TimeOfDay()
        self.ue_tags = UeTags(store, self.records, self.steering, tags)
        self.configuration = Configuration(
            store, self.records, self.steering, standings, self.services, notices, self.access
        )
        self.remote = RemoteConsumption(self.records, partner, neighbour, producer)
        self.local = LocalConsumption(self.records, producer)

    def apis(self) -> dict[type[Api], Api]:
        """Which part provides which API."""
        return {
            ServiceManagement: self.services,
            ServiceLiveness: self.liveness,
            ApplicationSupport: self.support,
            Registrations: self.registrations,
            Timing: self.time_of_day,
            UeIdentity: self.ue_tags,
            RemoteServices: self.remote,
            PlatformConfiguration: self.configuration,
            ServiceConsumption: self.local,
        }

    async def start_up(self) -> None:
        """Put rules and names back, and begin to report services upwards."""
        self._dirty.set()
        self._tasks = [asyncio.create_task(self._steer_forever()), asyncio.create_task(self._report_forever())]
        self._tasks.append(asyncio.create_task(self.liveness.watch()))

    async def shut_down(self) -> None:
        """Stop what runs by itself."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _steer_forever(self) -> None:
        """Put back what a data plane or a name server has lost, also when it is they who began anew."""
        while True:
            try:
                with continuing(UNTRACED, patience=STEER_PERIOD):
                    await self.steering.restore()
                await asyncio.sleep(STEER_PERIOD)
            except Problem as problem:
                log.info("steering of %s is not restored yet: %s", self._host, problem)
                await asyncio.sleep(STEER_PERIOD / 10)

    async def _report_forever(self) -> None:
        """Tell the manager what is offered after each change, until it has taken it."""
        pause = REPORT_PAUSE
        while True:
            await self._dirty.wait()
            await asyncio.sleep(pause)
            self._dirty.clear()
            try:
                await self._report()
                pause = REPORT_PAUSE
            except Problem as problem:
                log.info("reporting services of %s failed: %s", self._host, problem)
                self._dirty.set()
                pause = min(pause * 2, 2.0)

    async def _report(self) -> None:
        last = self._numbers.find("last")
        number = ReportNumber(number=(last.number if last else 0) + 1)
        await self._store.commit(lambda tx: tx.put(self._numbers, "last", number))
        report = PlatformReport(host=self._host, sequence=number.number, services=self._offered())
        await self._manager.report_services(self._host, report)

    def _offered(self) -> tuple[OfferedService, ...]:
        offered = []
        for record in self.records.services.values():
            service, transport = record.service, record.service.transport_info
            app = self.records.apps.find(record.app_instance_id)
            offered.append(
                OfferedService(
                    ser_instance_id=str(service.ser_instance_id),
                    ser_name=service.ser_name,
                    version=service.version,
                    state=service.state,
                    serializer=service.serializer,
                    scope_of_locality=service.scope_of_locality,
                    consumed_local_only=service.consumed_local_only,
                    app_instance_id=record.app_instance_id,
                    tenant=app.configuration.tenant if app else "",
                    transport_type=transport.type if isinstance(transport, TransportInfo) else "REST_HTTP",
                    transport_version=transport.version if isinstance(transport, TransportInfo) else "1.1",
                )
            )
        return tuple(offered)
