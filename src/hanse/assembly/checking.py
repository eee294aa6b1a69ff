"""What must hold of an operator's settings beyond the types of their values."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hanse.assembly.limits import Check
from hanse.assembly.tables import DATA_PLANE_DRIVERS, DeviceSettings, HostSettings, NamesSettings
from hanse.refpoints.mm5.platform import ConflictPolicy

if TYPE_CHECKING:
    from hanse.assembly.settings import Settings


def checks(settings: Settings) -> list[Check]:
    """What must hold of settings: each key with what would be right, and whether it is."""
    found = [*_names(settings)]
    for name, host in settings.hosts.items():
        found += _of_host(settings, name, host)
    known = f"one of {', '.join(settings.hosts) or 'no host'}"
    found += [(f"devices.{name}.host", known, d.host in settings.hosts) for name, d in settings.devices.items()]
    found += [*settings.limits.checks(), *settings.certificates.checks(), *settings.callbacks.checks()]
    found += [*settings.retention.checks(), *settings.rules.checks()]
    found += [check for name, policy in settings.steering.items() for check in policy.checks(name)]
    found += [(key, "an IP address", _is_address(value)) for key, value in _addresses(settings)]
    found += [(key, f"1 to {most}", 1 <= port <= most) for key, port, most in _ports(settings)]
    found += [
        (f"partners.{name}.url", "https://HOST:PORT", partner.url.startswith("https://"))
        for name, partner in settings.partners.items()
    ]
    return found


def _names(settings: Settings) -> Iterator[Check]:
    for name in (settings.operator.name, *settings.hosts, *settings.devices, *settings.partners):
        fits = bool(re.fullmatch(r"[a-z][a-z0-9-]*", name))
        yield f"name {name}", "lower-case letters, digits and hyphens", fits


def _of_host(settings: Settings, name: str, host: HostSettings) -> Iterator[Check]:
    key, in_kernel = f"hosts.{name}", host.data_plane_driver == "nftables"
    yield f"{key}.apps", *_tried(host.app_addresses)
    yield f"{key}.memory", *_tried(host.memory_bytes)
    yield f"{key}.ready_patience", "more than 0 seconds", host.ready_patience > 0
    yield f"{key}.conflicts", f"one of {', '.join(ConflictPolicy)}", host.conflicts in tuple(ConflictPolicy)
    yield from host.liveness.checks(f"{key}.liveness")
    known = "one of " + ", ".join(DATA_PLANE_DRIVERS)
    yield f"{key}.data_plane_driver", known, host.data_plane_driver in DATA_PLANE_DRIVERS
    if in_kernel:
        yield from _in_kernel(settings, name, host)
    if host.radio is not None:
        yield from host.radio.checks(f"{key}.radio", host.zone.name, in_kernel)
    yield from _of_names(f"{key}.names", host.names)
    if host.redirection is not None:
        yield from host.redirection.checks(f"{key}.redirection")


def _of_names(key: str, names: NamesSettings) -> list[Check]:
    return [
        (f"{key}.forward", *_tried(names.forwarders)),
        (f"{key}.rate", "0 or more answers a second", names.rate >= 0),
        (f"{key}.zones", "the one zone that is updated", names.update is None or len(names.zones) == 1),
    ]


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each address by its key."""
    yield "operator.address", settings.operator.address
    yield "federation.address", settings.federation.address
    for name, host in settings.hosts.items():
        yield f"hosts.{name}.address", host.address
        yield f"hosts.{name}.data_plane", host.data_plane
        yield f"hosts.{name}.names.address", host.names.address
    for name, device in settings.devices.items():
        yield f"devices.{name}.address", device.address


def _ports(settings: Settings) -> Iterator[tuple[str, int, int]]:
    """Each port by its key, with the highest that leaves room for the elements that listen on those after it."""
    yield "operator.port", settings.operator.port, 65533
    yield "federation.port", settings.federation.port, 65535
    for name, host in settings.hosts.items():
        yield f"hosts.{name}.port", host.port, 65531
        yield f"hosts.{name}.names.port", host.names.port, 65535
        yield f"hosts.{name}.app_port", host.app_port, 65535


def _tried(read: Any) -> tuple[str, bool]:
    try:
        read()
    except ValueError as error:
        return str(error), False
    return "", True


def _in_kernel(settings: Settings, name: str, host: HostSettings) -> list[Check]:
    """A data plane in the kernel joins network namespaces: what devices meet must have addresses that leave one."""
    elsewhere = {
        _network(d.address) for d in settings.devices.values() if d.host != name and _in_kernel_too(settings, d)
    }
    outside = "for nftables an address outside of 127.0.0.0/8"
    found = [
        (f"hosts.{name}.data_plane", outside, _leaves(host.data_plane)),
        (f"hosts.{name}.names.address", outside, _leaves(host.names.address)),
        (f"hosts.{name}.apps", outside, _leaves(host.apps.partition("-")[0].strip())),
    ]
    if host.redirection is not None:
        beside = f"for nftables that of the host's embedded name server, {host.names.address}"
        there = host.names.update is None and host.redirection.address == host.names.address
        found.append((f"hosts.{name}.redirection.address", beside, there))
    for key, device in settings.devices.items():
        if device.host == name:
            place = f"devices.{key}.address"
            found.append((place, outside, _leaves(device.address)))
            alone = "a /24 network in which no other host has devices"
            found.append((place, alone, _network(device.address) not in elsewhere))
    return found


def _in_kernel_too(settings: Settings, device: DeviceSettings) -> bool:
    host = settings.hosts.get(device.host)
    return host is not None and host.data_plane_driver == "nftables"


def _network(address: str) -> str:
    return address.rpartition(".")[0]


def _leaves(address: str) -> bool:
    """Whether an address passes from one network namespace to another."""
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True  # told as such


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
