"""From a policy to the records by which a name server carries it out for each device; pure.

The choice is made beforehand, by `choose`, for each known device; what is left to the name server are strangers, by the
subnets that the policy names. Records come in the order in which the choice would try them.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from hanse.elements.mep.steering.choice import choose, deciding, targets_of
from hanse.elements.mep.steering.devices import Devices
from hanse.refpoints.mm1.steering import MOST_PREFERENCES, Preference, SteeringPolicy, Target
from hanse.refpoints.mp2 import NameRecord

RULES_ORDER = MOST_PREFERENCES + 2
"""The order of records that follow the rules of apps: a policy of the operator, which is tried first, outranks them."""

_PREFIX = "policy:"


def owner_of(name: str) -> str:
    """By whom the records of a policy are known to the name server: no application."""
    return f"{_PREFIX}{name}"


def name_of(owner: str) -> str | None:
    """The name whose policy is meant by an owner; ``None`` if that is an application."""
    return owner.removeprefix(_PREFIX) if owner.startswith(_PREFIX) else None


def records_of(policy: SteeringPolicy, devices: Devices) -> tuple[NameRecord, ...]:
    """What is answered for the policy's name: to known devices first, then by subnet, then to everybody else."""
    stranger = devices.at("")
    rest = choose(policy, stranger)
    if rest is None:
        return ()
    last = deciding(policy, stranger)
    end = len(policy.preferences) if last is None else last
    by_subnet = tuple(_by_subnet(policy, end, devices))
    for_devices = _for_devices(policy, devices, None if by_subnet else rest)
    return (*for_devices, *by_subnet, _record(policy, "rest", rest, 1 + end, ()))


def _for_devices(policy: SteeringPolicy, devices: Devices, implied: Target | None) -> Iterator[NameRecord]:
    """One record for each target of known devices; none for that which everybody gets anyhow."""
    led: dict[Target, list[str]] = {}
    for device in devices.known():
        target = choose(policy, device)
        if target is not None and target != implied:
            led.setdefault(target, []).append(device.address)
    for number, (target, addresses) in enumerate(led.items()):
        yield _record(policy, f"devices.{number}", target, 0, tuple(addresses))


def _by_subnet(policy: SteeringPolicy, end: int, devices: Devices) -> Iterator[NameRecord]:
    """Of the preferences before that which decides for every stranger."""
    for place, preference in enumerate(policy.preferences[:end]):
        clients = (*preference.subnets, *_addresses(preference))
        if clients and targets_of(policy, place):
            target = _led_to(policy, place, devices)
            yield _record(policy, f"preference.{place}", target, 1 + place, clients)


def _led_to(policy: SteeringPolicy, place: int, devices: Devices) -> Target:
    """Whereto a preference leads a stranger whom it means."""
    all_theirs = SteeringPolicy(name=policy.name, targets=targets_of(policy, place))
    target = choose(all_theirs, devices.at(""))
    assert target is not None
    return target


def _addresses(preference: Preference) -> Iterator[str]:
    for device in preference.devices:
        try:
            yield str(ip_address(device))
        except ValueError:
            continue  # a name, of a device that is known by its address


def _record(policy: SteeringPolicy, part: str, target: Target, order: int, clients: tuple[str, ...]) -> NameRecord:
    owner = owner_of(policy.name)
    return NameRecord(
        record_id=f"{owner}.{part}",
        owner=owner,
        name=policy.name,
        address=target.address,
        ttl=policy.ttl,
        clients=clients,
        order=order,
    )
