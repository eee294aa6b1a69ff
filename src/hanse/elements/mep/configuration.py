"""Mm5, the platform's side of an app's life (ETSI GS MEC 011 V3.1.1, 5.2.2 and 5.2.3)."""

from __future__ import annotations

import msgspec

from hanse.elements.mep.access import Access
from hanse.elements.mep.app_rules.conflicts import Conflicts
from hanse.elements.mep.app_rules.rules import check_traffic_rule, dns_rule, forwarding, traffic_rule
from hanse.elements.mep.app_support.standing import Standings
from hanse.elements.mep.app_support.storage import Volumes
from hanse.elements.mep.notices import Notices
from hanse.elements.mep.records import AppRecord, Records
from hanse.elements.mep.service_management.services import ServiceRegistry
from hanse.elements.mep.steering.steering import Steering
from hanse.elements.mep.subscriptions import AppSubscriptions
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT
from hanse.refpoints.mm5.platform import (
    AppAccess,
    AppConfiguration,
    AppPhase,
    AppStanding,
    GracefulEnd,
    PlatformConfiguration,
    StandingQuery,
)
from hanse.refpoints.mp1.support import OperationAction

LONGEST_WAIT = 10.0
"""Seconds that one question for a standing may wait."""


class Configuration(PlatformConfiguration):
    """What the manager asks of the platform for each app."""

    def __init__(
        self,
        store: Store,
        records: Records,
        steering: Steering,
        standings: Standings,
        registry: ServiceRegistry,
        notices: Notices,
        subscriptions: AppSubscriptions,
        access: Access,
        conflicts: Conflicts,
        volumes: Volumes | None = None,
    ) -> None:
        self._store = store
        self._records = records
        self._steering = steering
        self._standings = standings
        self._registry = registry
        self._notices = notices
        self._subscriptions = subscriptions
        self._access = access
        self._conflicts = conflicts
        self._volumes = volumes or Volumes(None)

    async def configure(self, app_instance_id: str, configuration: AppConfiguration) -> AppAccess:
        """Make the app known; asked again with the same, nothing changes. A rule that conflicts is refused with 409."""
        traffic = tuple(traffic_rule(rule) for rule in configuration.traffic_rules)
        for rule in traffic:
            check_traffic_rule(rule)
            forwarding(configuration, rule)

        def decide(tx: Transaction) -> None:
            present = tx.find(self._records.apps, app_instance_id)
            if present is not None and _same(present.configuration, configuration):
                return
            record = AppRecord(
                configuration=configuration,
                phase=AppPhase.CONFIGURED,
                traffic_rules=traffic,
                dns_rules=tuple(dns_rule(rule) for rule in configuration.dns_rules),
            )
            every = {rule.traffic_rule_id for rule in traffic}
            tx.put(self._records.apps, app_instance_id, self._conflicts.settled(record, every, 409))

        volume = await self._volumes.provide(app_instance_id, configuration.storage)
        with self._conflicts.kept(app_instance_id):
            await self._store.commit(decide)
        return msgspec.structs.replace(self._access.grant(app_instance_id), volume=volume)

    async def standing(self, app_instance_id: str, query: StandingQuery) -> AppStanding:
        """Where the app stands, after waiting as long as asked for."""
        await self._standings.wait(app_instance_id, query.phase, min(query.wait, LONGEST_WAIT))
        app = self._records.apps.get(app_instance_id)
        listens = bool(self._subscriptions.termination.held_by(app_instance_id))
        volume = self._volumes.standing(app_instance_id) or ABSENT
        return AppStanding(app_instance_id=app_instance_id, phase=app.phase, listens=listens, volume=volume)

    async def activate(self, app_instance_id: str) -> None:
        """Carry out the app's rules."""
        await self._store.commit(lambda tx: self._set_active(tx, app_instance_id, True))
        await self._steering.apply(app_instance_id)

    async def announce_end(self, app_instance_id: str, end: GracefulEnd) -> None:
        """Tell the app; told again, it is not told twice."""
        stopping = end.action is OperationAction.STOPPING
        phase = AppPhase.STOPPING if stopping else AppPhase.TERMINATING

        def decide(tx: Transaction) -> None:
            app = tx.get(self._records.apps, app_instance_id)
            if app.phase in (phase, AppPhase.CONFIRMED):
                return
            self._standings.enter(tx, msgspec.structs.replace(app, announced=end.action), phase)
            self._notices.ending(tx, app_instance_id, end.action, end.timeout)

        await self._store.commit(decide)

    async def deactivate(self, app_instance_id: str) -> None:
        """Withdraw rules, services and subscriptions; the app may be started again."""

        def decide(tx: Transaction) -> None:
            app = tx.find(self._records.apps, app_instance_id)
            if app is None:
                return
            self._withdraw(tx, app_instance_id)
            idle = msgspec.structs.replace(app, active=False, phase=AppPhase.CONFIGURED, announced=None)
            tx.put(self._records.apps, app_instance_id, idle)

        await self._store.commit(decide)
        await self._steering.apply(app_instance_id)

    async def forget(self, app_instance_id: str) -> None:
        """Keep nothing of the app; its tokens are refused from the moment at which this is on disk, and not before."""

        def decide(tx: Transaction) -> None:
            self._withdraw(tx, app_instance_id)
            tx.delete(self._records.apps, app_instance_id)
            tx.after.append(lambda: self._access.withdraw(app_instance_id))
            tx.after.append(lambda: self._conflicts.release(app_instance_id))
            tx.after.append(lambda: self._standings.wake(app_instance_id))

        await self._store.commit(decide)
        await self._steering.apply(app_instance_id)
        await self._volumes.remove(app_instance_id)

    def _set_active(self, tx: Transaction, app_instance_id: str, active: bool) -> None:
        app = tx.get(self._records.apps, app_instance_id)
        tx.put(self._records.apps, app_instance_id, msgspec.structs.replace(app, active=active))

    def _withdraw(self, tx: Transaction, app_instance_id: str) -> None:
        self._subscriptions.end_all(tx, app_instance_id)  # first: who ends is told nothing of its own end (5.2.3)
        for service in tx.under(self._records.services_of, app_instance_id):
            self._registry.remove(tx, service)
        if tx.find(self._records.registrations, app_instance_id) is not None:
            tx.delete(self._records.registrations, app_instance_id)


def _same(present: AppConfiguration, wanted: AppConfiguration) -> bool:
    """A policy that has changed since decides on what comes later; it is no other app for that."""
    return msgspec.structs.replace(present, conflicts=wanted.conflicts) == wanted
