"""The rules in force of the apps of this host, worked out when an app changes; they are kept here and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Collection, Hashable, Iterator

import msgspec

from hanse.elements.mep.app_rules.destinations import plain
from hanse.elements.mep.app_rules.rules import forwardings
from hanse.elements.mep.app_support.tags import TagAddresses, resolved
from hanse.elements.mep.records import AppRecord
from hanse.elements.mep.steering.anycast import instance_of
from hanse.elements.mep.steering.spots import EVERY, asked, words
from hanse.kit.problems import Problem
from hanse.kit.store import Index, Shelf
from hanse.refpoints.mp2 import Action, Forwarding, TrafficMatch
from hanse.refpoints.mp3.services import SharedRule

log = logging.getLogger("hanse.mep")


class InForce(msgspec.Struct, frozen=True, gc=False):
    """Rules of one app: those that are its own affair, and those by which devices reach it, which hosts may share."""

    alone: tuple[Forwarding, ...] = ()
    shared: tuple[SharedRule, ...] = ()


class OwnRules:
    """Rules in force by app, by package and by destination, as they stand on disk."""

    def __init__(self, apps: Shelf[AppRecord], tags: TagAddresses) -> None:
        self._tags = tags
        self._rules: Index[AppRecord, InForce] = Index(apps, self._by_words)
        self._packages: Index[AppRecord, bool] = Index(apps, _by_package)

    def of(self, app_instance_id: str) -> InForce:
        """Those of one app; none of one that is not active, or not of this host."""
        return self._rules.durable(EVERY).get(app_instance_id, InForce())

    def members(self, package: str) -> Collection[str]:
        """The instances of a package."""
        return self._packages.durable(package).keys()

    def shared(self) -> tuple[SharedRule, ...]:
        """All that hosts may share, in the order in which their apps came."""
        return tuple(rule for in_force in self._rules.values(EVERY) for rule in in_force.shared)

    def met(self, match: TrafficMatch) -> Iterator[SharedRule]:
        """Those of `shared` that a filter may meet."""
        for word in asked(match):
            for in_force in self._rules.durable(word).values():
                yield from in_force.shared

    def _by_words(self, app: AppRecord) -> dict[Hashable, InForce]:
        """All of an app under ``EVERY``, and what may meet others under words of destinations."""
        try:
            rules = forwardings(resolved(app, self._tags))
        except Problem as problem:  # `configure` and changes of rules refuse it: an older version wrote it
            log.error("rules of %s are not carried out: %s", app.app_instance_id, problem)
            return {}
        if not rules:
            return {}
        package = app.configuration.app_d_id
        shareable = {rule.rule_id for rule in rules if package and _leads_to(app, rule)}
        shared = tuple(_shared(package, rule) for rule in rules if rule.rule_id in shareable)
        alone = tuple(rule for rule in rules if rule.rule_id not in shareable)
        found: dict[Hashable, list[SharedRule]] = {}
        for rule in shared:
            for word in words(rule.forwarding):
                found.setdefault(word, []).append(rule)
        return {word: InForce(shared=tuple(some)) for word, some in found.items()} | {EVERY: InForce(alone, shared)}


def _by_package(app: AppRecord) -> dict[Hashable, bool]:
    return {app.configuration.app_d_id: True}


def _leads_to(app: AppRecord, forwarding: Forwarding) -> bool:
    """Whether devices reach the app itself by a rule."""
    to_app = forwarding.to_address == plain(app.configuration.address)
    return to_app and forwarding.action is Action.FORWARD_DECAPSULATED


def _shared(package: str, forwarding: Forwarding) -> SharedRule:
    name = forwarding.rule_id.removeprefix(f"{instance_of(forwarding.rule_id)}.")
    return SharedRule(app_d_id=package, traffic_rule_id=name, forwarding=forwarding)
