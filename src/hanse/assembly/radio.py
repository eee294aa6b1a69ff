"""Base stations of a host in its settings: where their tunnels end, whose they are, and of what class."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network

from hanse.assembly.limits import Check
from hanse.drivers.dataplane_nftables import AccessNetwork, Bearer
from hanse.drivers.dataplane_nftables.gtp.bearer import check
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT, Value

_NEEDS = 'only with data_plane_driver = "nftables": GTP-U is ended by the kernel\'s data plane'


class BearerSettings(Value, forbid_unknown_fields=True, rename={}):
    """``[[hosts.X.radio.bearers]]``: a bearer of a device, or a QoS flow of its PDU session.

    ``base_station``: the far end. ``teid_up`` marks what comes from the device, ``teid_down`` what goes to it; each 1
    to 2**32 - 1. ``addresses``: the device's, IPv4. ``qci``: its class, QCI or 5QI, 0 to 255; ``qfi``: 0 to 63 if it is
    a QoS flow. Of several bearers of one device the first carries what belongs to none.
    """

    base_station: str
    teid_up: int
    teid_down: int
    addresses: tuple[str, ...]
    qci: int = 9
    qfi: int | None = None

    def bearer(self, network: str) -> Bearer:
        """As the data plane knows it."""
        return Bearer(
            network=network,
            base_station=self.base_station,
            teid_up=self.teid_up,
            teid_down=self.teid_down,
            addresses=self.addresses,
            qci=self.qci,
            qfi=ABSENT if self.qfi is None else self.qfi,
        )


class RadioSettings(Value, forbid_unknown_fields=True, rename={}):
    """``[hosts.X.radio]``: an access network of base stations, whose GTP-U the data plane ends (3GPP TS 29.281).

    ``address``: where, with the prefix of the network in which base stations are, like ``10.10.60.1/24``. ``devices``:
    the networks of the devices behind them. Rules call it by its ``name``. The core network, which knows of bearers, is
    not ours: they stand here.
    """

    address: str
    devices: tuple[str, ...]
    name: str = "radio"
    bearers: tuple[BearerSettings, ...] = ()

    def network(self) -> AccessNetwork:
        """As the data plane joins it."""
        return AccessNetwork(self.name, (self.address,), self.devices)

    def declared(self) -> list[Bearer]:
        """The bearers as the data plane knows them."""
        return [found.bearer(self.name) for found in self.bearers]

    def checks(self, key: str, zone: str, in_kernel: bool) -> Iterator[Check]:
        """``zone`` is the name of the host's other access network."""
        yield key, _NEEDS, in_kernel
        yield f"{key}.name", f"letters, digits and hyphens, and not {zone}, the zone's", _names(self.name, zone)
        yield (
            f"{key}.address",
            "an IPv4 address with a prefix, like 10.10.60.1/24, outside of 127.0.0.0/8",
            _end(self.address),
        )
        right = "IPv4 networks like 10.10.61.0/24, outside of 127.0.0.0/8 and of the base stations'"
        yield f"{key}.devices", right, _apart(self.devices, self.address)
        yield f"{key}.bearers", *self._tried()

    def _tried(self) -> tuple[str, bool]:
        try:
            check(self.declared(), [self.name])
        except Problem as problem:
            return f"{problem.title}; {problem.detail}", False
        return "addresses in the networks of devices", all(map(self._has, self.bearers))

    def _has(self, bearer: BearerSettings) -> bool:
        try:
            networks = [IPv4Network(text) for text in self.devices]
            addresses = [IPv4Interface(text).ip for text in bearer.addresses]
        except ValueError:
            return False
        return all(any(address in network for network in networks) for address in addresses)


def _names(name: str, zone: str) -> bool:
    return bool(name) and name != zone and name.replace("-", "").isalnum() and name.isascii()


def _end(text: str) -> bool:
    try:
        found = IPv4Interface(text)
    except ValueError:
        return False
    return not found.is_loopback and found.network.prefixlen < 31


def _apart(texts: tuple[str, ...], address: str) -> bool:
    try:
        networks = [IPv4Network(text) for text in texts]
        stations = IPv4Interface(address).network
    except ValueError:
        return False
    return bool(networks) and not any(n.is_loopback or n.overlaps(stations) for n in networks)
