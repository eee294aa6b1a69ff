"""Where the data plane of a host is in the kernel: its namespaces, networks and devices, from the settings (pure)."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_interface, ip_network, summarize_address_range

from hanse.assembly.settings import Settings
from hanse.assembly.tables import HostSettings
from hanse.drivers.dataplane_nftables import AccessNetwork, Site

_LINK, _ACCESS = 30, 24
"""Lengths of the prefixes of the link to the applications, and of the network of the devices."""


def site_of(settings: Settings, name: str) -> tuple[Site, dict[str, str]]:
    """A host's site, and its devices with addresses; the first address of their network is the plane's."""
    host = settings.hosts[name]
    devices = {device: f"{found.address}/{_ACCESS}" for device, found in settings.devices.items() if found.host == name}
    networks = {ip_interface(address).network for address in devices.values()}
    gateways = tuple(f"{network[1]}/{_ACCESS}" for network in sorted(networks, key=str))
    home = str(_other_end(host))
    embedded = host.names.update is None
    site = Site(
        name=_site_name(settings, name),
        own=(f"{host.data_plane}/{_LINK}",),
        home=(f"{home}/{_LINK}",),
        apps=(*_prefixes(host), *([f"{host.names.address}/32"] if embedded and host.names.address != home else [])),
        access=(AccessNetwork(host.zone.name, gateways), *([host.radio.network()] if host.radio else [])),
        shared_home=True,
        names=((host.names.address, host.names.port), *_redirectors(host)),
        elsewhere=tuple(prefix for other in settings.hosts if other != name for prefix in _outside(settings, other)),
    )
    return site, devices


def device_space(settings: Settings, device: str) -> str:
    """The network namespace of a device; empty: this machine's own."""
    host = settings.devices[device].host
    if settings.hosts[host].data_plane_driver != "nftables":
        return ""
    return site_of(settings, host)[0].device_space(device)


def _site_name(settings: Settings, name: str) -> str:
    """Operators of the same name may run beside each other on other addresses, and must not clear each other's."""
    return f"{settings.operator.name}-{name}-{settings.hosts[name].data_plane.replace('.', '-')}"


def _other_end(host: HostSettings) -> IPv4Address:
    """The other of the two addresses of the data plane's link."""
    own = IPv4Address(host.data_plane)
    return next(at for at in ip_network(f"{own}/{_LINK}", strict=False).hosts() if at != own)  # type: ignore[return-value]


def _outside(settings: Settings, other: str) -> tuple[str, ...]:
    """The prefixes of another host's instances; none on loopback, which no data plane in the kernel reaches."""
    prefixes = _prefixes(settings.hosts[other])
    return tuple(prefix for prefix in prefixes if not ip_network(prefix).is_loopback)


def _redirectors(host: HostSettings) -> list[tuple[str, int]]:
    """Where devices ask to be led by HTTP, which they may without a rule, as they ask names."""
    found = host.redirection
    return [(found.address, port) for port in found.ports().values()] if found else []


def _prefixes(host: HostSettings) -> tuple[str, ...]:
    addresses = [IPv4Address(text) for text in host.app_addresses()]
    return tuple(str(prefix) for prefix in summarize_address_range(addresses[0], addresses[-1]))
