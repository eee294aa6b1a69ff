"""Which instance a device is led to: the one decision behind every way to steer, by name, redirection or address; pure.

A device is led by the first preference of the policy that means it and whose host is there; if none does, to what is
nearest to it. So a target that goes away is passed over, and comes back by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from hanse.model.place import Position, Zone
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target


class Asker(NamedTuple):
    """A device: its IP address, its name at the operator, its zone and where it is, each as far as it is known."""

    address: str = ""
    name: str = ""
    zone: str = ""
    position: Position | None = None


def choose(policy: SteeringPolicy, asker: Asker) -> Target | None:
    """Where a device is led; ``None`` if the policy has no target at all.

    Of several targets that are equally good, and for a device of whose place nothing is known, the first named.
    """
    place = deciding(policy, asker)
    return _nearest(targets_of(policy, place), asker.position)


def deciding(policy: SteeringPolicy, asker: Asker) -> int | None:
    """The place of the preference that decides for a device; ``None`` if nearness does."""
    for place, preference in enumerate(policy.preferences):
        if means(preference, asker) and targets_of(policy, place):
            return place
    return None


def targets_of(policy: SteeringPolicy, place: int | None) -> tuple[Target, ...]:
    """The targets that the preference at ``place`` leads to; all if there is none."""
    if place is None:
        return policy.targets
    host = policy.preferences[place].to
    return tuple(target for target in policy.targets if target.host == host)


def means(preference: Preference, asker: Asker) -> bool:
    """Whether a device is among those that are named, in any of the three ways."""
    if asker.name and asker.name in preference.devices:
        return True
    if asker.zone and asker.zone in preference.zones:
        return True
    return bool(asker.address) and (
        asker.address in preference.devices or any(within(asker.address, subnet) for subnet in preference.subnets)
    )


def within(address: str, subnet: str) -> bool:
    """Whether an IP address lies in a network of its family; what cannot be read does not."""
    try:
        return _address(address) in _network(subnet)
    except ValueError:
        return False


_address = lru_cache(maxsize=4096)(ip_address)
_network = lru_cache(maxsize=4096)(ip_network)
"""Read once: a policy is asked at every request, with the same subnets."""


def _nearest(targets: Sequence[Target], position: Position | None) -> Target | None:
    if not targets:
        return None
    if position is None:
        return targets[0]
    return min(targets, key=lambda target: _distance(target, position))


def _distance(target: Target, position: Position) -> float:
    """Kilometres; a target of which nobody has said where it is comes last."""
    return target.zone.position.distance(position) if isinstance(target.zone, Zone) else float("inf")
