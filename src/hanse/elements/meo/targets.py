"""Which targets of a policy there are now, and what a policy may name; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_address

from msgspec.structs import replace

from hanse.elements.meo.hosts import Host
from hanse.elements.meo.records import InstanceRecord
from hanse.kit.problems import bad_request
from hanse.kit.values import Absent
from hanse.refpoints.mm1.lifecycle import OperationalState
from hanse.refpoints.mm1.steering import SteeringPolicy


def running(instances: Iterable[InstanceRecord]) -> dict[str, set[str]]:
    """The hosts on which each app is STARTED, by its name; worked out once for all policies."""
    found: dict[str, set[str]] = {}
    for instance in instances:
        if instance.running is OperationalState.STARTED:
            found.setdefault(instance.descriptor.app_name, set()).add(instance.host)
    return found


def present(
    policy: SteeringPolicy, hosts: Mapping[str, Host], running: Mapping[str, Collection[str]]
) -> SteeringPolicy:
    """The policy as platforms take it: targets with their zones; where it names an app, only those that run it now."""
    app = policy.app
    targets = tuple(
        replace(target, zone=hosts[target.host].zone)
        for target in policy.targets
        if target.host in hosts and (isinstance(app, Absent) or target.host in running.get(app, ()))
    )
    return replace(policy, targets=targets)


def check_known(policy: SteeringPolicy, hosts: Mapping[str, Host], devices: Collection[str]) -> None:
    """A policy names hosts, zones and devices that there are; else a problem 400 with those that may be named."""
    if not policy.targets:
        raise bad_request("Invalid attribute targets", "at least one host, and the address by which devices reach it")
    zones = {host.zone.name for host in hosts.values()}
    led = {target.host for target in policy.targets}
    _among("targets.host", led, hosts)
    for preference in policy.preferences:
        _among("preferences.to", {preference.to}, led)
        _among("preferences.zones", preference.zones, zones)
        _among("preferences.devices", [d for d in preference.devices if not _is_address(d)], devices)


def _among(attribute: str, named: Iterable[str], known: Iterable[str]) -> None:
    for name in named:
        if name not in known:
            legal = ", ".join(sorted(known)) or "none"
            raise bad_request(f"Invalid attribute {attribute}", f"there is no {name!r}; legal: {legal}")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
