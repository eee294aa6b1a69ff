"""An app's change of one of its traffic rules: in force, or as if it had never been asked for (MEC 011, 7.2.8.3.2)."""

from __future__ import annotations

import contextlib

import msgspec

from hanse.elements.mep.app_rules.conflicts import Conflicts
from hanse.elements.mep.app_rules.limits import Limits, gives_up
from hanse.elements.mep.app_rules.rules import check_traffic_rule, forwarding
from hanse.elements.mep.records import AppRecord, Records
from hanse.elements.mep.steering.steering import Steering
from hanse.kit.contract.call import require_match
from hanse.kit.contract.tags import tag_of
from hanse.kit.problems import Problem, forbidden, not_found
from hanse.kit.store import Store, Transaction
from hanse.refpoints.mp1.support import RuleState, TrafficRule

REFUSALS = (400, 409)
"""What a data plane says of a rule that it cannot read or carry out, or whose port is taken; it keeps what it had."""


def rule_of(app: AppRecord, identifier: str) -> TrafficRule:
    """A traffic rule of an app; a problem 404 if it has none by that id."""
    rule = next((r for r in app.traffic_rules if r.traffic_rule_id == identifier), None)
    if rule is None:
        raise not_found("traffic rule", identifier)
    return rule


class RuleChanges:
    """Decides a change, has it carried out, and takes it back if the data plane refuses."""

    def __init__(
        self, store: Store, records: Records, steering: Steering, conflicts: Conflicts, limits: Limits
    ) -> None:
        self._store = store
        self._records = records
        self._steering = steering
        self._conflicts = conflicts
        self._limits = limits

    async def change(self, app_instance_id: str, rule: TrafficRule) -> TrafficRule:
        """The rule as it is in force.

        What is beyond the app's grant is refused with 403; so is what conflicts with another app, or it gets another
        priority, by the manager's policy. What the data plane refuses is refused with 400, or 403 if only its state
        forbids it.
        """

        def decide(tx: Transaction) -> tuple[TrafficRule, TrafficRule]:
            app = tx.get(self._records.apps, app_instance_id)
            before = rule_of(app, rule.traffic_rule_id)
            require_match(tag_of(before))
            check_traffic_rule(rule)
            forwarding(app.configuration, rule)
            if gives_up(before, rule):
                return before, self._put(tx, app, rule)
            self._limits.check(app, rule)
            return before, self._put(tx, app, rule, within_grant=True)

        with self._conflicts.kept(app_instance_id):
            before, settled = await self._store.commit(decide)
        try:
            await self._steering.apply(app_instance_id)
        except Problem as refusal:
            if refusal.status not in REFUSALS:
                raise
            await self._take_back(app_instance_id, before, settled)
            raise refusal if refusal.status == 400 else forbidden(refusal.title, refusal.detail) from None
        return settled

    async def _take_back(self, app_instance_id: str, before: TrafficRule, refused: TrafficRule) -> None:
        """Unless it has changed again meanwhile; a rule whose packets another app has taken by then is INACTIVE."""

        def decide(tx: Transaction) -> None:
            app = tx.find(self._records.apps, app_instance_id)
            if app is None or refused not in app.traffic_rules:
                return
            try:
                self._put(tx, app, before)
            except Problem:
                self._put(tx, app, msgspec.structs.replace(before, state=RuleState.INACTIVE))

        with self._conflicts.kept(app_instance_id):
            await self._store.commit(decide)
        with contextlib.suppress(Problem):  # the first refusal is the one to be told
            await self._steering.apply(app_instance_id)

    def _put(self, tx: Transaction, app: AppRecord, rule: TrafficRule, *, within_grant: bool = False) -> TrafficRule:
        identifier = rule.traffic_rule_id
        rules = tuple(rule if r.traffic_rule_id == identifier else r for r in app.traffic_rules)
        wanted = msgspec.structs.replace(app, traffic_rules=rules)
        changed = self._conflicts.settled(wanted, (identifier,), 403, within_grant=within_grant)
        tx.put(self._records.apps, app.app_instance_id, changed)
        return rule_of(changed, identifier)
