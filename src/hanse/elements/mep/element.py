"""The platform: what an app sees of the MEC system (ETSI GS MEC 003, 7.1.2)."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from hanse.elements.mep.access import Access
from hanse.elements.mep.app_rules.conflicts import Conflicts
from hanse.elements.mep.app_support.registrations import AppRegistry
from hanse.elements.mep.app_support.standing import Standings
from hanse.elements.mep.app_support.storage import Volumes
from hanse.elements.mep.app_support.support import AppSupport
from hanse.elements.mep.app_support.timing import TimeOfDay
from hanse.elements.mep.app_support.ue_identity import UeTags
from hanse.elements.mep.configuration import Configuration
from hanse.elements.mep.notices import Notices
from hanse.elements.mep.records import Records
from hanse.elements.mep.service_management.index import ServiceIndex
from hanse.elements.mep.service_management.liveness import Liveness
from hanse.elements.mep.service_management.services import ServiceRegistry
from hanse.elements.mep.sharing.announcing import Announcer
from hanse.elements.mep.sharing.consumption import LocalConsumption, RemoteConsumption
from hanse.elements.mep.sharing.neighbours import Neighbours
from hanse.elements.mep.sharing.peers import PassingFlows, Places
from hanse.elements.mep.sharing.remote import RemoteLookup
from hanse.elements.mep.sharing.reporting import Reporter
from hanse.elements.mep.steering.keeping import Keeper
from hanse.elements.mep.steering.policies import Policies
from hanse.elements.mep.steering.redirection import Redirection
from hanse.elements.mep.steering.shared_addresses import SharedAddresses
from hanse.elements.mep.steering.steering import Steering
from hanse.elements.mep.subscriptions import AppSubscriptions
from hanse.elements.mep.surroundings import Surroundings
from hanse.kit.contract.declare import Api
from hanse.kit.problems import Problem
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm5.platform import PlatformConfiguration
from hanse.refpoints.mp1.liveness import ServiceLiveness
from hanse.refpoints.mp1.registrations import Registrations
from hanse.refpoints.mp1.remote import RemoteServices
from hanse.refpoints.mp1.services import ServiceManagement
from hanse.refpoints.mp1.support import ApplicationSupport
from hanse.refpoints.mp1.timing import Timing
from hanse.refpoints.mp1.ue_identity import UeIdentity
from hanse.refpoints.mp3.services import SharedFlows, SharedServices
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption

log = logging.getLogger("hanse.mep")

STEER_PERIOD = 3.0
"""Seconds between two looks at whether the data plane and the name server still have what they were told."""


class Platform:
    """The platform of one host, put together from its parts; `apis` tells which part provides which API."""

    def __init__(self, given: Surroundings) -> None:
        self._host = given.host
        self._tasks: list[asyncio.Task[None]] = []
        self.records = Records(given.store)
        self._reporter = Reporter(given.host, given.store, self.records, given.manager, tuple(given.redirectors))
        notices = Notices(given.url, self.records, given.outbox, given.callbacks, given.quotas)
        subscriptions = AppSubscriptions(given.url, given.store, self.records, notices, given.quotas)
        self._carry_out_rules(given)
        self._offer_services(given, notices, subscriptions)
        self._carry_calls(given)
        self._support_apps(given, notices, subscriptions)

    def _carry_out_rules(self, given: Surroundings) -> None:
        """What leads devices to apps: traffic rules, names, redirections and the operator's policies."""
        store, records, led = given.store, self.records, given.led
        addresses = SharedAddresses(given.host, records, given.tags, given.zones, led)
        self._announcer = Announcer(given.host, records, given.neighbours, addresses.announced)
        self.redirection = Redirection(given.host, records, led, given.domains)
        self.steering = Steering(records, given.data_plane, given.name_server, addresses, led, self._rules_changed)
        self.policies = Policies(store, records, self.steering, given.name_server, led)
        self.ue_tags = UeTags(store, records, self.steering, given.tags, given.quotas)

    def _offer_services(self, given: Surroundings, notices: Notices, subscriptions: AppSubscriptions) -> None:
        """What apps find: services of this host while they live, of its neighbours, and of other systems."""
        url, store, records = given.url, given.store, self.records
        self.flows, self._neighbours_flows = PassingFlows(given.data_plane), given.flows
        places = Places(self.flows, self._flows_elsewhere, given.led)
        lookup = RemoteLookup(url, store, records, given.manager, places)
        index = ServiceIndex(self._changed)
        self.liveness = Liveness(store, records, notices, index, given.liveness)
        self.services = ServiceRegistry(
            url,
            store,
            records,
            notices,
            lookup,
            index,
            self.liveness,
            subscriptions.availability,
            given.reach,
            given.quotas,
        )
        nearest, told = list(given.neighbours), self.steering.neighbour_changed
        self.neighbours = Neighbours(url, store, records, notices, index, nearest, told)

    def _carry_calls(self, given: Surroundings) -> None:
        """How services are consumed: those of others from here, and those of here by others."""
        self.remote = RemoteConsumption(self.records, given.partner, given.neighbour, given.producer)
        self.local = LocalConsumption(self.records, given.producer)

    def _support_apps(self, given: Surroundings, notices: Notices, subscriptions: AppSubscriptions) -> None:
        """What an app lives by: its configuration, access and storage, its standing, its own rules and the time."""
        store, records, steering = given.store, self.records, self.steering
        self.access = Access(given.url, given.operator, records, given.issuer, given.seed, given.authority)
        self._volumes = Volumes(given.volumes)
        standings, conflicts = Standings(records), Conflicts(records)
        self.support = AppSupport(
            store, records, steering, standings, subscriptions.termination, conflicts, given.quotas, given.rules
        )
        self.configuration = Configuration(
            store,
            records,
            steering,
            standings,
            self.services,
            notices,
            subscriptions,
            self.access,
            conflicts,
            self._volumes,
        )
        self.registrations = AppRegistry(given.url, store, records, given.quotas)
        self.time_of_day = TimeOfDay()

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
            self._keep_rules,
            self._keep_names,
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

    async def _keep_rules(self) -> None:
        await self._keep_forever("rules", self.steering.rules)

    async def _keep_names(self) -> None:
        await self._keep_forever("names", self.steering.names)

    async def _keep_forever(self, what: str, keeper: Keeper[Any]) -> None:
        """Put back what a data plane or a name server has lost, also when it is they who began anew."""
        while True:
            began = time.monotonic()
            try:
                await keeper.restore()
                await asyncio.sleep(max(STEER_PERIOD, time.monotonic() - began))
            except Problem as problem:
                log.info("%s of %s are not restored yet: %s", what, self._host, problem)
                await asyncio.sleep(STEER_PERIOD / 10)
            except Exception:
                log.exception("%s of %s are not restored: a fault of ours; it is tried again", what, self._host)
                await asyncio.sleep(STEER_PERIOD)
