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


def present(policy: SteeringPolicy, hosts: Mapping[str, Host], instances: Iterable[InstanceRecord]) -> SteeringPolicy:
    """The policy as platforms take it: targets with their zones; where it names an app, only those that run it now."""
    running = _running(policy.app, instances)
    targets = tuple(
        replace(target, zone=hosts[target.host].zone)
        for target in policy.targets
        if target.host in hosts and (running is None or target.host in running)
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


def _running(app: str | Absent, instances: Iterable[InstanceRecord]) -> set[str] | None:
    """The hosts on which an app is STARTED; ``None`` if it does not matter."""
    if isinstance(app, Absent):
        return None
    return {i.host for i in instances if i.descriptor.app_name == app and i.running is OperationalState.STARTED}


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
