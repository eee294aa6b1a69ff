"""Conflicts: traffic rules of two apps that want the same packets, refused or put in order by the manager's policy.

Of rules with different priorities the lower number decides, as the standard has it (ETSI GS MEC 011 V3.1.1, 7.1.2.2):
that is no conflict. Neither are rules that do the same, copies (DUPLICATE), which take nothing from anybody, rules of
one app, which are asked by their ids, and rules of instances of one package, among which platforms lead devices.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from hanse.elements.mep.app_rules.claims import COPIES, Claim, Claims, claim_of
from hanse.elements.mep.app_rules.grants import Grants
from hanse.elements.mep.records import AppRecord, Records
from hanse.kit.problems import Problem, forbidden
from hanse.model.descriptor.rules_traffic import LOWEST_PRIORITY
from hanse.refpoints.mm5.platform import ConflictPolicy
from hanse.refpoints.mp1.support import RuleState, TrafficRule

log = logging.getLogger("hanse.mep")

_NOT_WRITTEN = 507


class Conflicts:
    """What the rules of all apps of the host claim; whoever was there before keeps what it has.

    A rule claims from the moment at which its app is configured until it is forgotten, also while the app is stopped;
    not while the app has made it INACTIVE, unless it waits for a tag. ``grants`` are what each app was given.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self.grants = Grants()
        self._claims = Claims()
        self._of: dict[str, dict[str, Claim]] = {}
        for app in records.apps.values():
            self._hold(app, app.traffic_rules)

    def settled(self, app: AppRecord, changed: Container[str], status: int, *, within_grant: bool = False) -> AppRecord:
        """The app with its rules as they may stand, which they claim from now on; of ``changed`` rules (ids).

        A problem with ``status`` names the rules if the policy refuses, or no priority is left to give way to; a
        problem 403 if they must keep ``within_grant`` and take what is another app's. To be called within a decision
        that keeps the app, so that of two that come together the first one wins.
        """
        looked_at = [rule for rule in app.traffic_rules if rule.traffic_rule_id in changed]
        settled = {rule.traffic_rule_id: self._settled(app, rule, status) for rule in looked_at}
        for rule in settled.values() if within_grant else ():
            self._check_grant(app, claim_of(app.configuration, rule))
        self._hold(app, settled.values())
        rules = tuple(settled.get(rule.traffic_rule_id, rule) for rule in app.traffic_rules)
        return replace(app, traffic_rules=rules)

    def release(self, app_instance_id: str) -> None:
        """An app is there no more."""
        self.grants.release(app_instance_id)
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
        self.grants.hold(app.configuration)
        held = self._of.setdefault(app.app_instance_id, {})
        rules = {rule.traffic_rule_id: rule for rule in changed}
        for rule_id in {*rules, *(held.keys() - {rule.traffic_rule_id for rule in app.traffic_rules})} & held.keys():
            self._claims.remove(held.pop(rule_id))
        for rule in rules.values():
            if _claims(rule):
                held[rule.traffic_rule_id] = claim = self.grants.claim(app.configuration, rule)
                self._claims.add(claim)

    def _settled(self, app: AppRecord, rule: TrafficRule, status: int) -> TrafficRule:
        if not _claims(rule):
            return rule
        wanted, claim = rule.priority, claim_of(app.configuration, rule)
        first = self._against(claim)
        if first is None:
            return rule
        if app.configuration.conflicts is ConflictPolicy.EARLIER:
            while rule.priority < LOWEST_PRIORITY:
                rule = replace(rule, priority=rule.priority + 1)
                if self._against(dataclasses.replace(claim, priority=rule.priority)) is None:
                    log.warning("%s has priority %d instead of %d", _words(app, rule, first), rule.priority, wanted)
                    return rule
        log.warning("%s is refused", _words(app, rule, first))
        raise self._refusal(app, rule, first, wanted, status)

    def _against(self, claim: Claim) -> Claim | None:
        """One that was there before and wants the same packets for something else."""
        return next((other for other in self._claims.candidates(claim) if claim.harms(other)), None)

    def _check_grant(self, app: AppRecord, claim: Claim) -> None:
        """Whatever its priority, a change takes no packets that other apps have or were granted, but by its own grant.

        Also those of a rule that is INACTIVE: it would be found taken when its app wants it back.
        """
        others = dict.fromkeys((*self._claims.anywhere(claim), *self.grants.near(claim)))
        for other in others:
            if claim.harms(other) and not self.grants.allow(claim, other):
                raise self._taken(app, claim, other)

    def _taken(self, app: AppRecord, claim: Claim, other: Claim) -> Problem:
        field, right = "trafficFilter", "take only what your descriptor's rules do"
        if self.grants.allow(dataclasses.replace(claim, priority=LOWEST_PRIORITY + 1, copies=False), other):
            field, right = "priority", f"a number above {other.priority}, the lowest that leaves them where they are"
            if claim.copies:
                field, right = "action", "one that makes no copies: your descriptor's rules make none of these"
        detail = f"rule {claim.rule_id} would have packets of {self._named(app, other)}; {right}"
        return forbidden(f"Not allowed: {field}", detail)

    def _refusal(self, app: AppRecord, rule: TrafficRule, other: Claim, priority: int, status: int) -> Problem:
        detail = (
            f"both describe the same packets at priority {priority} and do different things with them; give it a "
            "priority with a higher number, or another trafficFilter"
        )
        return Problem(status, f"Traffic rule {rule.traffic_rule_id} conflicts with {self._named(app, other)}", detail)

    def _named(self, app: AppRecord, other: Claim) -> str:
        """Names the rule only to an app of the same tenant."""
        there = self._records.apps.find(other.owner)
        told = there is not None and app.configuration.tenant == there.configuration.tenant != ""
        return f"rule {other.rule_id} of {other.owner}" if told else "a rule of another application"


def _claims(rule: TrafficRule) -> bool:
    waits = any(wanted.tag for wanted in rule.traffic_filter)
    return rule.action not in COPIES and (waits or rule.state is RuleState.ACTIVE)


def _words(app: AppRecord, rule: TrafficRule, other: Claim) -> str:
    return (
        f"traffic rule {rule.traffic_rule_id} of {app.app_instance_id}, which wants packets of "
        f"{other.rule_id} of {other.owner},"
    )
