"""The platform: what an app sees of the MEC system (ETSI GS MEC 003, 7.1.2)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from hanse.elements.mep.access import Access
from hanse.elements.mep.announcing import Announcer
from hanse.elements.mep.configuration import Configuration
from hanse.elements.mep.conflicts import Conflicts
from hanse.elements.mep.devices import Devices
from hanse.elements.mep.index import ServiceIndex
from hanse.elements.mep.liveness import Liveness, LivenessPolicy
from hanse.elements.mep.neighbours import Neighbours
from hanse.elements.mep.notices import Notices
from hanse.elements.mep.peers import PassingFlows, Places
from hanse.elements.mep.policies import Policies
from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.records import Records
from hanse.elements.mep.redirection import Redirection
from hanse.elements.mep.registrations import AppRegistry
from hanse.elements.mep.remote import LocalConsumption, RemoteConsumption, RemoteLookup
from hanse.elements.mep.reporting import Reporter
from hanse.elements.mep.services import ServiceRegistry
from hanse.elements.mep.shared_addresses import SharedAddresses
from hanse.elements.mep.standing import Standings
from hanse.elements.mep.steering import Steering
from hanse.elements.mep.storage import Volumes
from hanse.elements.mep.subscriptions import AppSubscriptions
from hanse.elements.mep.support import AppSupport
from hanse.elements.mep.tags import TagAddresses
from hanse.elements.mep.timing import TimeOfDay
from hanse.elements.mep.ue_identity import UeTags
from hanse.kit.callbacks import Callbacks
from hanse.kit.contract.call import UNTRACED, continuing
from hanse.kit.contract.declare import Api
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem
from hanse.kit.receivers import ANYWHERE, Receivers
from hanse.kit.store import Store
from hanse.kit.tokens import TokenIssuer
from hanse.model.place import Zone
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm5.platform import ManagerLookup, PlatformConfiguration
from hanse.refpoints.mp1.liveness import ServiceLiveness
from hanse.refpoints.mp1.registrations import Registrations
from hanse.refpoints.mp1.remote import RemoteServices
from hanse.refpoints.mp1.services import ServiceManagement
from hanse.refpoints.mp1.support import ApplicationSupport
from hanse.refpoints.mp1.timing import Timing
from hanse.refpoints.mp1.ue_identity import UeIdentity
from hanse.refpoints.mp2 import DataPlane, NameServer
from hanse.refpoints.mp3.services import SharedFlows, SharedServices
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption

log = logging.getLogger("hanse.mep")

STEER_PERIOD = 3.0
"""Seconds between two looks at whether the data plane and the name server still have what they were told."""


class Platform:
    """The platform of one host, put together from its parts; `apis` tells which part provides which API.

    ``neighbours`` are those of the other hosts of its system, the nearest first. ``domains`` are what the host's name
    server answers for as a whole, ``redirectors`` the URLs at which devices are led by HTTP.
    ``reach`` says where calls from elsewhere may be carried, ``quotas`` how much one app may have.
    """

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
        neighbours: Mapping[str, SharedServices],
        producer: Callable[[str], ServiceConsumption],
        tags: TagAddresses,
        issuer: TokenIssuer,
        seed: bytes,
        authority: str,
        liveness: LivenessPolicy = LivenessPolicy(),  # noqa: B008 (frozen)
        volumes: Path | None = None,
        led: Devices = Devices(),  # noqa: B008 (nobody changes it)
        zones: Mapping[str, Zone] = MappingProxyType({}),
        flows: Mapping[str, SharedFlows] = MappingProxyType({}),
        domains: Sequence[str] = (),
        redirectors: Sequence[str] = (),
        reach: Receivers = ANYWHERE,
        quotas: Quotas = Quotas(),  # noqa: B008 (frozen)
    ) -> None:
        self._host = host
        self.records = Records(store)
        self._reporter = Reporter(host, store, self.records, manager, tuple(redirectors))
        self._tasks: list[asyncio.Task[None]] = []
        addresses = SharedAddresses(host, self.records, tags, zones, led)
        self._announcer = Announcer(host, self.records, neighbours, addresses.announced)
        self.redirection = Redirection(host, self.records, led, domains)
        self.steering = Steering(self.records, data_plane, name_server, addresses, led, self._rules_changed)
        self.policies = Policies(store, self.records, self.steering, name_server, led)
        self.access = Access(url, operator, self.records, issuer, seed, authority)
        notices = Notices(url, self.records, outbox, callbacks)
        standings = Standings(self.records)
        self.flows, self._neighbours_flows = PassingFlows(data_plane), flows
        lookup = RemoteLookup(url, store, self.records, manager, Places(self.flows, self._flows_elsewhere, led))
        index = ServiceIndex(self._changed)
        self.liveness = Liveness(store, self.records, notices, index, liveness)
        subscriptions = AppSubscriptions(url, store, self.records, notices, quotas)
        self.services = ServiceRegistry(
            url, store, self.records, notices, lookup, index, self.liveness, subscriptions.availability, reach, quotas
        )
        conflicts = Conflicts(self.records)
        self.support = AppSupport(
            store, self.records, self.steering, standings, subscriptions.termination, conflicts, quotas
        )
        self.registrations = AppRegistry(url, store, self.records, quotas)
        self.time_of_day = TimeOfDay()
        self.ue_tags = UeTags(store, self.records, self.steering, tags, quotas)
        self._volumes = Volumes(volumes)
        self.configuration = Configuration(
            store,
            self.records,
            self.steering,
            standings,
            self.services,
            notices,
            subscriptions,
            self.access,
            conflicts,
            self._volumes,
        )
        self.remote = RemoteConsumption(self.records, partner, neighbour, producer)
        self.local = LocalConsumption(self.records, producer)
        self.neighbours = Neighbours(
            url, store, self.records, notices, index, list(neighbours), self.steering.neighbours_changed
        )

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
            SteeringPolicies: self.policies,
            ServiceConsumption: self.local,
            SharedServices: self.neighbours,
            SharedFlows: self.flows,
        }

    async def start_up(self) -> None:
        """Put rules and names back, find the volumes again, and begin to tell managers and neighbours of services."""
        apps = self.records.apps.values()
        await self._volumes.restore({app.app_instance_id: app.configuration.storage for app in apps})
        forever = (
            self._steer_forever,
            self.steering.follow,
            self._reporter.run,
            self.liveness.watch,
            self.neighbours.watch,
            self._announcer.run,
            self._volumes.watch,
        )
        self._tasks = [asyncio.create_task(work()) for work in forever]

    async def shut_down(self) -> None:
        """Stop what runs by itself."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _flows_elsewhere(self) -> list[SharedFlows]:
        """Of the hosts whose platforms live."""
        living = [record.host for record in self.records.neighbours.values()]
        return [self._neighbours_flows[host] for host in living if host in self._neighbours_flows]

    def _changed(self) -> None:
        self._reporter.changed()
        self._announcer.changed()

    def _rules_changed(self) -> None:
        self._announcer.changed()
        self.redirection.changed.set()

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
