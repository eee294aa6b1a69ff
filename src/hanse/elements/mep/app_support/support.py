"""Mp1, application support, as the platform provides it (ETSI GS MEC 011 V3.1.1, 7.2)."""

from __future__ import annotations

import msgspec

from hanse.elements.mep.app_rules.conflicts import Conflicts
from hanse.elements.mep.app_rules.limits import Limits, RulePolicy
from hanse.elements.mep.app_rules.rule_changes import RuleChanges, rule_of
from hanse.elements.mep.app_support.standing import Standings
from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.records import AppRecord, Records
from hanse.elements.mep.steering.steering import Steering
from hanse.elements.mep.subscriptions import Subscriptions
from hanse.kit.contract.call import require_match
from hanse.kit.contract.declare import Created, Tagged
from hanse.kit.contract.tags import tag_of, tagged
from hanse.kit.problems import bad_request, conflict, not_found
from hanse.kit.store import Store, Transaction
from hanse.kit.values import without_empty_lists
from hanse.refpoints.mm5.platform import AppPhase
from hanse.refpoints.mp1.services import SubscriptionLinkList
from hanse.refpoints.mp1.support import (
    ApplicationSupport,
    AppReadyConfirmation,
    AppTerminationConfirmation,
    DnsRule,
    OperationAction,
    TerminationSubscription,
    TrafficRule,
)


class AppSupport(ApplicationSupport):
    """What an app tells and asks of its own life and its own rules."""

    def __init__(
        self,
        store: Store,
        records: Records,
        steering: Steering,
        standings: Standings,
        subscriptions: Subscriptions[TerminationSubscription],
        conflicts: Conflicts,
        quotas: Quotas = Quotas(),  # noqa: B008 (frozen)
        policy: RulePolicy = RulePolicy(),  # noqa: B008 (frozen)
    ) -> None:
        self._store = store
        self._records = records
        self._steering = steering
        self._standings = standings
        self._subscriptions = subscriptions
        limits = Limits(conflicts.grants, policy)
        self._rule_changes = RuleChanges(store, records, steering, conflicts, limits)
        self._quotas = quotas

    async def confirm_ready(self, app_instance_id: str, confirmation: AppReadyConfirmation) -> None:
        """Note that the app is ready; said again while it is, it is no error."""

        def decide(tx: Transaction) -> None:
            app = tx.get(self._records.apps, app_instance_id)
            if app.phase is AppPhase.CONFIGURED:
                self._standings.enter(tx, app, AppPhase.READY)
            elif app.phase is not AppPhase.READY:
                raise conflict("App is ending", f"its phase is {app.phase}")

        await self._store.commit(decide)

    async def confirm_termination(self, app_instance_id: str, confirmation: AppTerminationConfirmation) -> None:
        """Note that the app may be ended; only after it was told so, once, with the action it was told."""
        action = confirmation.operation_action
        if action is OperationAction.STOPPPING:
            action = OperationAction.STOPPING

        def decide(tx: Transaction) -> None:
            app = tx.get(self._records.apps, app_instance_id)
            if app.phase not in (AppPhase.TERMINATING, AppPhase.STOPPING):
                raise conflict(
                    "App is not ending", f"its phase is {app.phase}; confirm after AppTerminationNotification"
                )
            if app.announced is not action:
                raise conflict("Other action announced", f"operationAction must be {app.announced}")
            self._standings.enter(tx, app, AppPhase.CONFIRMED)

        await self._store.commit(decide)

    async def list_subscriptions(self, app_instance_id: str) -> SubscriptionLinkList:
        """The app's own subscriptions."""
        return self._subscriptions.listed(app_instance_id)

    async def subscribe(
        self, app_instance_id: str, subscription: TerminationSubscription
    ) -> Created[TerminationSubscription]:
        """Ask to be told before the app is ended."""
        _check_own(subscription, app_instance_id)
        return await self._subscriptions.add(app_instance_id, subscription)

    async def plant_subscription(
        self, app_instance_id: str, subscription: TerminationSubscription, identifier: str
    ) -> None:
        """The same for an app, under an id; see `Subscriptions.plant`."""
        _check_own(subscription, app_instance_id)
        await self._subscriptions.plant(app_instance_id, subscription, identifier)

    async def read_subscription(self, app_instance_id: str, subscription_id: str) -> TerminationSubscription:
        """One of the app's own subscriptions."""
        return self._subscriptions.read(app_instance_id, subscription_id)

    async def unsubscribe(self, app_instance_id: str, subscription_id: str) -> None:
        """End one of the app's own subscriptions; what still waits for it is dropped."""
        await self._subscriptions.end(app_instance_id, subscription_id)

    async def list_traffic_rules(self, app_instance_id: str) -> list[TrafficRule]:
        """The app's traffic rules."""
        return list(self._records.apps.get(app_instance_id).traffic_rules)

    async def read_traffic_rule(self, app_instance_id: str, traffic_rule_id: str) -> Tagged[TrafficRule]:
        """One of the app's traffic rules."""
        return tagged(rule_of(self._records.apps.get(app_instance_id), traffic_rule_id))

    async def update_traffic_rule(
        self, app_instance_id: str, traffic_rule_id: str, rule: TrafficRule
    ) -> Tagged[TrafficRule]:
        """Change one of the app's traffic rules; in force when this returns, unchanged if it is refused."""
        if rule.traffic_rule_id != traffic_rule_id:
            rule_of(self._records.apps.get(app_instance_id), traffic_rule_id)  # 404 goes first: there is none to change
            raise bad_request("Invalid attribute trafficRuleId", "must be that of the URI")
        self._quotas.check_record("Traffic rule", rule)
        filters = tuple(without_empty_lists(wanted) for wanted in rule.traffic_filter)
        rule = msgspec.structs.replace(rule, traffic_filter=filters)
        return tagged(await self._rule_changes.change(app_instance_id, rule))

    async def list_dns_rules(self, app_instance_id: str) -> list[DnsRule]:
        """The app's DNS rules."""
        return list(self._records.apps.get(app_instance_id).dns_rules)

    async def read_dns_rule(self, app_instance_id: str, dns_rule_id: str) -> Tagged[DnsRule]:
        """One of the app's DNS rules."""
        return tagged(_dns_rule(self._records.apps.get(app_instance_id), dns_rule_id))

    async def update_dns_rule(self, app_instance_id: str, dns_rule_id: str, rule: DnsRule) -> Tagged[DnsRule]:
        """Activate or deactivate one of the app's DNS rules; nothing else of it may change (7.2.10.3.2)."""

        def decide(tx: Transaction) -> None:
            app = tx.get(self._records.apps, app_instance_id)
            present = _dns_rule(app, dns_rule_id)
            require_match(tag_of(present))
            if msgspec.structs.replace(present, state=rule.state) != rule:
                raise bad_request("Only state may change", "GET the rule, set state to ACTIVE or INACTIVE, PUT it back")
            rules = tuple(rule if r.dns_rule_id == dns_rule_id else r for r in app.dns_rules)
            tx.put(self._records.apps, app_instance_id, msgspec.structs.replace(app, dns_rules=rules))

        await self._store.commit(decide)
        await self._steering.apply(app_instance_id)
        return tagged(rule)


def _dns_rule(app: AppRecord, identifier: str) -> DnsRule:
    rule = next((r for r in app.dns_rules if r.dns_rule_id == identifier), None)
    if rule is None:
        raise not_found("DNS rule", identifier)
    return rule


def _check_own(subscription: TerminationSubscription, app_instance_id: str) -> None:
    if subscription.app_instance_id != app_instance_id:
        raise bad_request("Invalid attribute appInstanceId", "must be that of the URI")
