"""Tags: how UE identity tags of an app switch its traffic rules and become addresses in them.

ETSI GS MEC 014 V2.1.1, 5.1: registering a tag activates the rules whose filters name it, and the platform, which alone
knows the device behind the tag, puts the device's addresses in its place.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import msgspec

from hanse.elements.mep.records import AppRecord
from hanse.kit.values import ABSENT
from hanse.refpoints.mp1.support import RuleState, TrafficFilter, TrafficRule

TagAddresses = Mapping[str, tuple[str, ...]]
"""The addresses of the device for which each tag stands."""


def retagged(app: AppRecord, tags: frozenset[str]) -> AppRecord:
    """The app with exactly these tags registered; rules of tags whose state changed become ACTIVE or INACTIVE."""
    changed = tags ^ set(app.tags)
    rules = tuple(_following(rule, changed, tags) for rule in app.traffic_rules)
    return msgspec.structs.replace(app, traffic_rules=rules, tags=tuple(sorted(tags)))


def resolved(app: AppRecord, addresses: TagAddresses) -> AppRecord:
    """The app with source addresses for tags; a filter that no registered device can match is left out.

    A rule that has no filter left is left out too: without filters it would match everything.
    """
    rules = []
    for rule in app.traffic_rules:
        filters = tuple(f for f in (_resolved(f, app.tags, addresses) for f in rule.traffic_filter) if f is not None)
        if filters:
            rules.append(msgspec.structs.replace(rule, traffic_filter=filters))
    return msgspec.structs.replace(app, traffic_rules=tuple(rules))


def _following(rule: TrafficRule, changed: frozenset[str], tags: frozenset[str]) -> TrafficRule:
    """One registered tag of several is enough."""
    named = {tag for f in rule.traffic_filter if isinstance(f.tag, tuple) for tag in f.tag}
    if not named & changed:
        return rule
    state = RuleState.ACTIVE if named & tags else RuleState.INACTIVE
    return msgspec.structs.replace(rule, state=state)


def _resolved(wanted: TrafficFilter, registered: tuple[str, ...], addresses: TagAddresses) -> TrafficFilter | None:
    if not isinstance(wanted.tag, tuple):
        return wanted
    found = [a for tag in wanted.tag if tag in registered for a in addresses.get(tag, ())]
    if isinstance(wanted.src_address, tuple):  # attributes of a filter are ANDed (MEC 011, 7.1.5.2)
        patterns = wanted.src_address
        found = [a for a in found if any(within(a, pattern) for pattern in patterns)]
    if not found:
        return None
    return msgspec.structs.replace(wanted, tag=ABSENT, src_address=tuple(dict.fromkeys(found)))


def within(address: str, pattern: str) -> bool:
    """Whether an address lies in ``a``, ``a/len``, ``a/mask`` or ``a-b``; in anything else it does not."""
    first, _, last = pattern.partition("-")
    try:
        one = ipaddress.ip_address(address)
        if last:
            low, high = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
            return low.version == high.version == one.version and int(low) <= int(one) <= int(high)
        return one in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False
