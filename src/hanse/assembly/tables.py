"""The tables of an operator's settings: what may stand in each, and what it means."""

from __future__ import annotations

import ipaddress
import re

from hanse.assembly.leading import RedirectionSettings
from hanse.assembly.limits import LivenessSettings
from hanse.assembly.radio import RadioSettings
from hanse.kit.values import Value
from hanse.model.place import Position, Zone

DATA_PLANE_DRIVERS = ("userspace", "nftables")


class Table(Value, forbid_unknown_fields=True, rename={}):
    """A table of the file; an unknown key in it is a mistake, not a silent nothing."""


class OperatorSettings(Table):
    """``[operator]``: name, state directory (relative to the file), address and first port of its management."""

    name: str
    directory: str = "state"
    address: str = "127.0.0.1"
    port: int = 8443


class FederationSettings(Table):
    """``[federation]``: where partners reach the operator; ``url`` if that differs from the address listened on."""

    address: str
    port: int = 9443
    url: str = ""


class ZoneSettings(Table):
    """A zone: name and middle in degrees."""

    name: str
    latitude: float
    longitude: float

    def zone(self) -> Zone:
        """As a value."""
        return Zone(name=self.name, position=Position(latitude=self.latitude, longitude=self.longitude))


class UpdateSettings(Table):
    """``[hosts.X.names.update]``: the TSIG key for updates of an outside name server; its secret is a file."""

    key: str
    secret_file: str
    algorithm: str = "hmac-sha256"


class NamesSettings(Table):
    """``[hosts.X.names]``: where the host's name server listens and the zones that it answers for.

    ``forward``: who is asked for other names, ``ADDRESS:PORT``, or several, of which the next is asked where one fails.
    ``rate``: answers by UDP a second to an address (0: no limit). With ``update`` it is an outside server, and its one
    zone is kept up to date.
    """

    address: str
    port: int = 10053
    zones: tuple[str, ...] = ()
    forward: str | tuple[str, ...] = ()
    rate: int = 1000
    update: UpdateSettings | None = None

    def forwarders(self) -> tuple[tuple[str, int], ...]:
        """Whom to ask for other names, in this order."""
        texts = (self.forward,) if isinstance(self.forward, str) else self.forward
        return tuple(_server(text) for text in texts if text)


def _server(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    try:
        if 1 <= int(port) <= 65535:
            return str(ipaddress.IPv4Address(address)), int(port)
    except ValueError:
        pass
    raise ValueError("an IPv4 address with a port, like 192.0.2.53:53")


class HostSettings(Table):
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


class DeviceSettings(Table):
    """``[devices.X]``: a device of the operator: its address, the host that serves it, and where it is.

    ``tags`` are the UE identity tags that stand for it towards apps (ETSI GS MEC 014 V2.1.1, 5.1).
    """

    address: str
    host: str
    latitude: float
    longitude: float
    tags: tuple[str, ...] = ()


class ShareSettings(Table):
    """``[partners.X.share]``: services and zones that the partner may know of (no zones named: all)."""

    services: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


class PartnerSettings(Table):
    """``[partners.X]``: another operator: where it is reached, the certificate of its authority, what it may see."""

    url: str
    trust: str
    share: ShareSettings = ShareSettings()


class ClientSettings(Table):
    """``[clients.X]``: an OAuth 2.0 client: the role in which it calls (``oss``, ``customer``), tenant, secret file."""

    role: str
    secret_file: str
    tenant: str = ""


class PackageSettings(Table):
    """``[packages]``: certificates of the authorities whose signatures on packages count."""

    trust: tuple[str, ...] = ()
