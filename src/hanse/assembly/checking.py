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
    names = [settings.operator.name, *settings.hosts, *settings.devices, *settings.partners]
    found = [
        (f"name {n}", "lower-case letters, digits and hyphens", bool(re.fullmatch(r"[a-z][a-z0-9-]*", n)))
        for n in names
    ]
    addresses = [("operator.address", settings.operator.address), ("federation.address", settings.federation.address)]
    for name, host in settings.hosts.items():
        found += [
            (f"hosts.{name}.apps", *_tried(host.app_addresses)),
            (f"hosts.{name}.memory", *_tried(host.memory_bytes)),
            (f"hosts.{name}.ready_patience", "more than 0 seconds", host.ready_patience > 0),
            (f"hosts.{name}.conflicts", f"one of {', '.join(ConflictPolicy)}", host.conflicts in tuple(ConflictPolicy)),
            *host.liveness.checks(f"hosts.{name}.liveness"),
        ]
        addresses += [(f"hosts.{name}.address", host.address), (f"hosts.{name}.data_plane", host.data_plane)]
        known = "one of " + ", ".join(DATA_PLANE_DRIVERS)
        found.append((f"hosts.{name}.data_plane_driver", known, host.data_plane_driver in DATA_PLANE_DRIVERS))
        if host.data_plane_driver == "nftables":
            found += _in_kernel(settings, name, host)
        if host.radio is not None:
            in_kernel = host.data_plane_driver == "nftables"
            found += host.radio.checks(f"hosts.{name}.radio", host.zone.name, in_kernel)
        addresses.append((f"hosts.{name}.names.address", host.names.address))
        found += _of_names(f"hosts.{name}.names", host.names)
        found += host.redirection.checks(f"hosts.{name}.redirection") if host.redirection else []
    for name, device in settings.devices.items():
        known = f"one of {', '.join(settings.hosts) or 'no host'}"
        found.append((f"devices.{name}.host", known, device.host in settings.hosts))
        addresses.append((f"devices.{name}.address", device.address))
    found += [*settings.limits.checks(), *settings.certificates.checks(), *settings.callbacks.checks()]
    found += settings.retention.checks()
    found += [check for name, policy in settings.steering.items() for check in policy.checks(name)]
    found += [(key, "an IP address", _is_address(value)) for key, value in addresses]
    found += [(key, f"1 to {most}", 1 <= port <= most) for key, port, most in _ports(settings)]
    found += [
        (f"partners.{name}.url", "https://HOST:PORT", partner.url.startswith("https://"))
        for name, partner in settings.partners.items()
    ]
    return found


def _of_names(key: str, names: NamesSettings) -> list[Check]:
    return [
        (f"{key}.forward", *_tried(names.forwarder)),
        (f"{key}.rate", "0 or more answers a second", names.rate >= 0),
        (f"{key}.zones", "the one zone that is updated", names.update is None or len(names.zones) == 1),
    ]


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
