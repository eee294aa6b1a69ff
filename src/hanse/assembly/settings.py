"""Settings of one operator, read from TOML; every mistake is named with its place and what would be right."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from hanse.assembly.leading import RedirectionSettings, SteeringSettings
from hanse.assembly.limits import LimitSettings, LivenessSettings
from hanse.assembly.radio import RadioSettings
from hanse.assembly.upkeep import CallbackSettings, CertificateSettings, RetentionSettings
from hanse.kit.contract.decode import invalid
from hanse.kit.problems import Problem, bad_request
from hanse.kit.values import Value
from hanse.model.place import Position, Zone
from hanse.refpoints.mm5.platform import ConflictPolicy

DATA_PLANE_DRIVERS = ("userspace", "nftables")


class _Table(Value, forbid_unknown_fields=True, rename={}):
    """A table of the file; an unknown key in it is a mistake, not a silent nothing."""


class OperatorSettings(_Table):
    """``[operator]``: name, state directory (relative to the file), address and first port of its management."""

    name: str
    directory: str = "state"
    address: str = "127.0.0.1"
    port: int = 8443


class FederationSettings(_Table):
    """``[federation]``: where partners reach the operator; ``url`` if that differs from the address listened on."""

    address: str
    port: int = 9443
    url: str = ""


class ZoneSettings(_Table):
    """A zone: name and middle in degrees."""

    name: str
    latitude: float
    longitude: float

    def zone(self) -> Zone:
        """As a value."""
        return Zone(name=self.name, position=Position(latitude=self.latitude, longitude=self.longitude))


class UpdateSettings(_Table):
    """``[hosts.X.names.update]``: the TSIG key for updates of an outside name server; its secret is a file."""

    key: str
    secret_file: str
    algorithm: str = "hmac-sha256"


class NamesSettings(_Table):
    """``[hosts.X.names]``: where the host's name server listens and the zones that it answers for.

    ``forward``: who is asked for other names, ``ADDRESS:PORT``. ``rate``: answers by UDP a second to an address (0: no
    limit). With ``update`` it is an outside server, and its one zone is kept up to date.
    """

    address: str
    port: int = 10053
    zones: tuple[str, ...] = ()
    forward: str = ""
    rate: int = 1000
    update: UpdateSettings | None = None

    def forwarder(self) -> tuple[str, int] | None:
        """Whom to ask for other names."""
        if not self.forward:
            return None
        address, _, port = self.forward.rpartition(":")
        try:
            if 1 <= int(port) <= 65535:
                return str(ipaddress.IPv4Address(address)), int(port)
        except ValueError:
            pass
        raise ValueError("an IPv4 address with a port, like 192.0.2.53:53")


class HostSettings(_Table):
    """``[hosts.X]``: a MEC host. ``apps`` are the addresses for instances, ``first-last``; memory like ``2 GiB``.

    ``data_plane_driver``: with ``nftables`` (root) rules are carried out in the kernel, in namespaces of the host.
    ``conflicts``: what becomes of an app's traffic rule that wants packets of another app's at equal priority:
    ``refuse`` it, or let the ``earlier`` keep them.
    ``ready_patience``: seconds that an app has from its start to confirm_ready. ``redirection``: where devices are
    led by HTTP; without it, nowhere. ``radio``: base stations, whose tunnels end here.
    """

    zone: ZoneSettings
    address: str
    data_plane: str
    names: NamesSettings
    apps: str
    data_plane_driver: str = "userspace"
    port: int = 8443
    country: str = "ZZ"
    memory: str = "2 GiB"
    processors: float = 8.0
    app_port: int = 8080
    ready_patience: float = 30.0
    conflicts: str = "refuse"
    liveness: LivenessSettings = LivenessSettings()
    redirection: RedirectionSettings | None = None
    radio: RadioSettings | None = None

    def app_addresses(self) -> tuple[str, ...]:
        """The addresses for instances, one by one."""
        first, _, last = self.apps.partition("-")
        start, end = ipaddress.IPv4Address(first.strip()), ipaddress.IPv4Address((last or first).strip())
        if not 0 <= int(end) - int(start) < 4096:
            raise ValueError("a range of at most 4096 addresses, the lower one first")
        return tuple(str(start + i) for i in range(int(end) - int(start) + 1))

    def memory_bytes(self) -> int:
        """Memory in bytes."""
        found = re.fullmatch(r"(\d+) *(KiB|MiB|GiB|)", self.memory)
        if found is None:
            raise ValueError("a number with KiB, MiB or GiB")
        return int(found[1]) * {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[found[2]]


class DeviceSettings(_Table):
    """``[devices.X]``: a device of the operator: its address, the host that serves it, and where it is.

    ``tags`` are the UE identity tags that stand for it towards apps (ETSI GS MEC 014 V2.1.1, 5.1).
    """

    address: str
    host: str
    latitude: float
    longitude: float
    tags: tuple[str, ...] = ()


class ShareSettings(_Table):
    """``[partners.X.share]``: services and zones that the partner may know of (no zones named: all)."""

    services: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


class PartnerSettings(_Table):
    """``[partners.X]``: another operator: where it is reached, the certificate of its authority, what it may see."""

    url: str
    trust: str
    share: ShareSettings = ShareSettings()


class ClientSettings(_Table):
    """``[clients.X]``: an OAuth 2.0 client: the role in which it calls (``oss``, ``customer``), tenant, secret file."""

    role: str
    secret_file: str
    tenant: str = ""


class PackageSettings(_Table):
    """``[packages]``: certificates of the authorities whose signatures on packages count."""

    trust: tuple[str, ...] = ()


class Settings(_Table):
    """Everything that is configured of one operator. ``path`` is the file that it was read from."""

    operator: OperatorSettings
    federation: FederationSettings
    hosts: dict[str, HostSettings] = {}
    devices: dict[str, DeviceSettings] = {}
    partners: dict[str, PartnerSettings] = {}
    clients: dict[str, ClientSettings] = {}
    packages: PackageSettings = PackageSettings()
    limits: LimitSettings = LimitSettings()
    steering: dict[str, SteeringSettings] = {}
    certificates: CertificateSettings = CertificateSettings()
    callbacks: CallbackSettings = CallbackSettings()
    retention: RetentionSettings = RetentionSettings()
    path: str = ""

    @property
    def base(self) -> Path:
        """The directory to which paths in the file are relative."""
        return Path(self.path).resolve().parent

    @property
    def directory(self) -> Path:
        """The operator's own state directory."""
        return self.base / self.operator.directory

    @property
    def federation_url(self) -> str:
        """Where partners reach the operator."""
        return self.federation.url or f"https://{self.federation.address}:{self.federation.port}"

    def file(self, name: str) -> Path:
        """A path of the file."""
        return self.base / name

    def content(self, key: str, name: str) -> bytes:
        """What is in the file that ``key`` names; a problem 400 if it cannot be read."""
        try:
            return self.file(name).read_bytes()
        except OSError as error:
            detail = f"{self.file(name)} cannot be read: {error.strerror}"
            raise bad_request(f"{self.path}: Invalid key {key}", detail) from None


def load(path: Path) -> Settings:
    """Read settings; a problem 400 names the key at fault."""
    try:
        raw = tomllib.loads(path.read_text())
    except OSError as error:
        raise bad_request(f"Cannot read {path}", error.strerror or str(error)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"{path} is not TOML", str(error)) from None
    return parse(raw, path)


def parse(raw: dict[str, Any], path: Path) -> Settings:
    """Check settings that were read already."""
    try:
        settings = msgspec.convert({**raw, "path": str(path)}, Settings)
    except msgspec.ValidationError as error:
        problem = invalid(str(error), Settings, kind="key")
        raise Problem(400, f"{path}: {problem.title}", problem.detail) from None
    for key, right, good in _checks(settings):
        if not good:
            raise bad_request(f"{path}: Invalid key {key}", right)
    return settings


def _checks(settings: Settings) -> list[tuple[str, str, bool]]:
    names = [settings.operator.name, *settings.hosts, *settings.devices, *settings.partners]
    checks = [
        (f"name {n}", "lower-case letters, digits and hyphens", bool(re.fullmatch(r"[a-z][a-z0-9-]*", n)))
        for n in names
    ]
    addresses = [("operator.address", settings.operator.address), ("federation.address", settings.federation.address)]
    for name, host in settings.hosts.items():
        checks += [
            (f"hosts.{name}.apps", *_tried(host.app_addresses)),
            (f"hosts.{name}.memory", *_tried(host.memory_bytes)),
            (f"hosts.{name}.ready_patience", "more than 0 seconds", host.ready_patience > 0),
            (f"hosts.{name}.conflicts", f"one of {', '.join(ConflictPolicy)}", host.conflicts in tuple(ConflictPolicy)),
            *host.liveness.checks(f"hosts.{name}.liveness"),
        ]
        addresses += [(f"hosts.{name}.address", host.address), (f"hosts.{name}.data_plane", host.data_plane)]
        known = "one of " + ", ".join(DATA_PLANE_DRIVERS)
        checks.append((f"hosts.{name}.data_plane_driver", known, host.data_plane_driver in DATA_PLANE_DRIVERS))
        if host.data_plane_driver == "nftables":
            checks += _in_kernel(settings, name, host)
        if host.radio is not None:
            in_kernel = host.data_plane_driver == "nftables"
            checks += host.radio.checks(f"hosts.{name}.radio", host.zone.name, in_kernel)
        addresses.append((f"hosts.{name}.names.address", host.names.address))
        checks += _of_names(f"hosts.{name}.names", host.names)
        checks += host.redirection.checks(f"hosts.{name}.redirection") if host.redirection else []
    for name, device in settings.devices.items():
        known = f"one of {', '.join(settings.hosts) or 'no host'}"
        checks.append((f"devices.{name}.host", known, device.host in settings.hosts))
        addresses.append((f"devices.{name}.address", device.address))
    checks += [*settings.limits.checks(), *settings.certificates.checks(), *settings.callbacks.checks()]
    checks += settings.retention.checks()
    checks += [check for name, policy in settings.steering.items() for check in policy.checks(name)]
    checks += [(key, "an IP address", _is_address(value)) for key, value in addresses]
    checks += [(key, f"1 to {most}", 1 <= port <= most) for key, port, most in _ports(settings)]
    checks += [
        (f"partners.{name}.url", "https://HOST:PORT", partner.url.startswith("https://"))
        for name, partner in settings.partners.items()
    ]
    return checks


def _of_names(key: str, names: NamesSettings) -> list[tuple[str, str, bool]]:
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


def _in_kernel(settings: Settings, name: str, host: HostSettings) -> list[tuple[str, str, bool]]:
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
