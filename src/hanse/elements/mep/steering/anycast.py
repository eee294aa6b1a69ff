"""One virtual address on several hosts: which instance each device is led to by a data plane; pure.

Devices of an access network go to the instance of its own host; those of hosts that have none to the one that is
nearest to them (`choose`). A rule for some devices comes before that for everybody, which leads where strangers go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from hanse.elements.mep.app_support.tags import within
from hanse.elements.mep.steering.choice import choose
from hanse.elements.mep.steering.devices import Devices
from hanse.kit.values import ABSENT
from hanse.model.place import Zone
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target
from hanse.refpoints.mp2 import Forwarding, TrafficMatch
from hanse.refpoints.mp2.protocols import spelt_alike
from hanse.refpoints.mp3.services import SharedRule

FIRST = "!"
"""Begins the id of a rule for some devices: of rules of one priority, that of the lower id is asked first (Mp2)."""


class Instance(NamedTuple):
    """An instance of an app that devices may be led to: its host, and its rule."""

    host: str
    rule: SharedRule


def instance_of(rule_id: str) -> str:
    """The app instance whose rule it is, wherever that is carried out."""
    return rule_id.removeprefix(FIRST).partition(".")[0]


def groups(instances: Iterable[Instance]) -> list[list[Instance]]:
    """Those that stand for one another: rules of one package and name that claim the same destination alike."""
    found: dict[object, list[Instance]] = {}
    for instance in instances:
        rule, claimed = instance.rule, instance.rule.forwarding
        claim = tuple((m.dst_address, m.dst_port, spelt_alike(m.protocol or ())) for m in claimed.matches)
        key = (rule.app_d_id, rule.traffic_rule_id, claimed.priority, claimed.filter_type, claim)
        found.setdefault(key, []).append(instance)
    return list(found.values())


def led(
    group: Sequence[Instance], here: str, zones: Mapping[str, Zone], devices: Devices, common: bool
) -> Iterator[Forwarding]:
    """What the data plane of the host ``here`` carries out for a group, the rules for everybody last.

    ``common``: devices of all hosts meet it. Then hosts that have an instance do it all, each for all devices; else
    each host does it for its own.
    """
    own = [instance for instance in group if instance.host == here]
    if len(own) == len(group) or (common and not own):
        yield from (instance.rule.forwarding for instance in own)
        return
    policy, by_target = _policy(group, here, zones)
    for target, addresses in _led_elsewhere(policy, here, devices).items():
        yield from _for_devices(by_target[target].rule.forwarding, addresses)
    stranger = choose(policy, devices.at(""))
    everybody = own or ([by_target[stranger]] if stranger else [])
    yield from (instance.rule.forwarding for instance in everybody)


def _policy(
    group: Sequence[Instance], here: str, zones: Mapping[str, Zone]
) -> tuple[SteeringPolicy, dict[Target, Instance]]:
    """The hosts as targets, this one first; each is preferred by the devices that it serves."""
    by_target = {}
    for instance in sorted(group, key=lambda i: (i.host != here, i.host)):
        address = str(instance.rule.forwarding.to_address)
        zone = zones.get(instance.host)
        target = Target(host=instance.host, address=address, zone=zone or ABSENT)
        by_target[target] = instance
    hosts = dict.fromkeys(target.host for target in by_target)
    preferences = tuple(Preference(to=host, zones=(zones[host].name,)) for host in hosts if host in zones)
    return SteeringPolicy(name="address", targets=tuple(by_target), preferences=preferences), by_target


def _led_elsewhere(policy: SteeringPolicy, here: str, devices: Devices) -> dict[Target, list[str]]:
    found: dict[Target, list[str]] = {}
    for device in devices.known():
        target = choose(policy, device)
        if target is not None and target.host != here:
            found.setdefault(target, []).append(device.address)
    return found


def _for_devices(forwarding: Forwarding, addresses: Sequence[str]) -> Iterator[Forwarding]:
    """The same for some devices only, as far as it lets them in; nothing if it lets in none of them."""
    matches = tuple(narrowed for match in forwarding.matches if (narrowed := _only(match, addresses)) is not None)
    if matches:
        yield replace(forwarding, rule_id=FIRST + forwarding.rule_id, matches=matches)


def _only(match: TrafficMatch, addresses: Sequence[str]) -> TrafficMatch | None:
    patterns = match.src_address
    kept = tuple(a for a in addresses if not isinstance(patterns, tuple) or any(within(a, p) for p in patterns))
    return replace(match, src_address=kept) if kept else None


def foreign(claimed: Forwarding, others: Iterable[SharedRule], app_d_id: str) -> bool:
    """Whether another app claims a destination of a rule: then it is not shared, and only one of both can have it."""
    theirs = (other.forwarding for other in others if other.app_d_id != app_d_id)
    return any(_meet(mine, match) for other in theirs for match in other.matches for mine in claimed.matches)


def _meet(one: TrafficMatch, other: TrafficMatch) -> bool:
    """Whether two filters name an address and a port in common, as they are spelt; what is absent is every one."""
    protocols = spelt_alike(one.protocol or ()), spelt_alike(other.protocol or ())
    pairs = ((one.dst_address, other.dst_address), (one.dst_port, other.dst_port), protocols)
    return all(not a or not b or bool(set(a) & set(b)) for a, b in pairs)
