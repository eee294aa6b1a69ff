"""Conflicts: traffic rules of two apps that want the same packets, refused or put in order by the manager's policy.

Of rules with different priorities the lower number decides, as the standard has it (ETSI GS MEC 011 V3.1.1, 7.1.2.2):
that is no conflict. Neither are rules that do the same, copies (DUPLICATE), which take nothing from anybody, rules of
one app, which are asked by their ids, and rules of instances of one package, among which platforms lead devices.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from hanse.elements.mep.app_rules.claims import Claim, Claims
from hanse.elements.mep.app_rules.overlap import described
from hanse.elements.mep.app_rules.rules import forwarding
from hanse.elements.mep.records import AppRecord, Records
from hanse.kit.problems import Problem
from hanse.model.descriptor.rules_traffic import LOWEST_PRIORITY
from hanse.model.descriptor.traffic import Action
from hanse.refpoints.mm5.platform import ConflictPolicy
from hanse.refpoints.mp1.support import RuleState, TrafficRule

log = logging.getLogger("hanse.mep")

_COPIES = (Action.DUPLICATE_DECAPSULATED, Action.DUPLICATE_ENCAPSULATED)
_NOT_WRITTEN = 507


class Conflicts:
    """What the rules of all apps of the host claim; whoever was there before keeps what it has.

    A rule claims from the moment at which its app is configured until it is forgotten, also while the app is stopped;
    not while the app has made it INACTIVE, unless it waits for a tag.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._claims = Claims()
        self._of: dict[str, dict[str, Claim]] = {}
        for app in records.apps.values():
            self._hold(app, app.traffic_rules)

    def settled(self, app: AppRecord, changed: Container[str], status: int) -> AppRecord:
        """The app with its rules as they may stand, which they claim from now on; of ``changed`` rules (ids).

        A problem with ``status`` names the rules if the policy refuses, or no priority is left to give way to. To be
        called within a decision that keeps the app, so that of two that come together the first one wins.
        """
        looked_at = [rule for rule in app.traffic_rules if rule.traffic_rule_id in changed]
        settled = {rule.traffic_rule_id: self._settled(app, rule, status) for rule in looked_at}
        self._hold(app, settled.values())
        rules = tuple(settled.get(rule.traffic_rule_id, rule) for rule in app.traffic_rules)
        return replace(app, traffic_rules=rules)

    def release(self, app_instance_id: str) -> None:
        """An app is there no more."""
        for claim in self._of.pop(app_instance_id, {}).values():
            self._claims.remove(claim)

    @contextmanager
    def kept(self, app_instance_id: str) -> Iterator[None]:
        """What was settled in a decision that then could not be written is claimed no more."""
        try:
            yield
        except Problem as problem:
            if problem.status == _NOT_WRITTEN:
                self.release(app_instance_id)
                if (app := self._records.apps.find(app_instance_id)) is not None:
                    self._hold(app, app.traffic_rules)
            raise

    def _hold(self, app: AppRecord, changed: Iterable[TrafficRule]) -> None:
        """Of the app's rules only these have changed; those that it has no more claim nothing."""
        held = self._of.setdefault(app.app_instance_id, {})
        rules = {rule.traffic_rule_id: rule for rule in changed}
        for rule_id in {*rules, *(held.keys() - {rule.traffic_rule_id for rule in app.traffic_rules})} & held.keys():
            self._claims.remove(held.pop(rule_id))
        for rule in rules.values():
            if _claims(rule):
                held[rule.traffic_rule_id] = claim = _claim(app, rule)
                self._claims.add(claim)

    def _settled(self, app: AppRecord, rule: TrafficRule, status: int) -> TrafficRule:
        if not _claims(rule):
            return rule
        wanted, first = rule.priority, self._against(_claim(app, rule))
        if first is None:
            return rule
        if app.configuration.conflicts is ConflictPolicy.EARLIER:
            while rule.priority < LOWEST_PRIORITY:
                rule = replace(rule, priority=rule.priority + 1)
                if self._against(_claim(app, rule)) is None:
                    log.warning("%s has priority %d instead of %d", _words(app, rule, first), rule.priority, wanted)
                    return rule
        log.warning("%s is refused", _words(app, rule, first))
        raise self._refusal(app, rule, first, wanted, status)

    def _against(self, claim: Claim) -> Claim | None:
        """One that was there before and wants the same packets for something else."""
        return next((other for other in self._claims.candidates(claim) if _conflict(claim, other)), None)

    def _refusal(self, app: AppRecord, rule: TrafficRule, other: Claim, priority: int, status: int) -> Problem:
        """Names the other rule only to an app of the same tenant."""
        there = self._records.apps.find(other.owner)
        told = there is not None and app.configuration.tenant == there.configuration.tenant != ""
        named = f"rule {other.rule_id} of {other.owner}" if told else "a rule of another application"
        detail = (
            f"both describe the same packets at priority {priority} and do different things with them; give it another "
            "priority or another trafficFilter"
        )
        return Problem(status, f"Traffic rule {rule.traffic_rule_id} conflicts with {named}", detail)


def _claims(rule: TrafficRule) -> bool:
    waits = any(wanted.tag for wanted in rule.traffic_filter)
    return rule.action not in _COPIES and (waits or rule.state is RuleState.ACTIVE)


def _claim(app: AppRecord, rule: TrafficRule) -> Claim:
    carried = forwarding(app.configuration, rule)
    return Claim(
        owner=app.app_instance_id,
        package=app.configuration.app_d_id,
        rule_id=rule.traffic_rule_id,
        priority=rule.priority,
        filters=tuple(described(wanted) for wanted in rule.traffic_filter),
        end=(carried.action, carried.to_address, carried.to_port, carried.to_mac, carried.to_tunnel),
    )


def _conflict(one: Claim, other: Claim) -> bool:
    apart = one.owner != other.owner and (not one.package or one.package != other.package)
    return apart and one.end != other.end and one.meets(other)


def _words(app: AppRecord, rule: TrafficRule, other: Claim) -> str:
    return (
        f"traffic rule {rule.traffic_rule_id} of {app.app_instance_id}, which wants packets of "
        f"{other.rule_id} of {other.owner},"
    )
