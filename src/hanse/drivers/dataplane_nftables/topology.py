"""The namespaces of a host and the links that join them, as lines of ip(8) (pure).

device ── access network (a bridge) ── the plane (rules) ── the applications' home
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from ipaddress import ip_interface

from hanse.drivers.dataplane_nftables.gtp import labels
from hanse.drivers.dataplane_nftables.names import FAR_END_DEVICE

PREFIX = "hanse-"
MTU = 1420
"""Bytes of a packet in a tunnel: with the headers of IPv6, UDP and GTP-U and a PDU session container less than 1500."""
TO_TUNNEL, TO_MAC, KIND_OF_WAY = 0x10000000, 0x20000000, 0xF0000000
"""Marks of packets that leave by another way than their address says; the low bits number the way."""
TO_TUNNEL_TABLE, TO_MAC_TABLE = 101, 102


@dataclass(frozen=True)
class AccessNetwork:
    """An access network: its name and the plane's addresses in it with prefix length, like ``10.64.1.1/24``.

    With ``devices``, their prefixes, it is the network of base stations, and devices come by GTP-U.
    """

    name: str
    gateways: tuple[str, ...]
    devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Site:
    """What a host's data plane joins.

    ``own`` are the plane's addresses towards applications, with prefix length; ``home`` the addresses at the other end
    of that link; ``apps`` the prefixes in which applications have their addresses. They live in a namespace of their
    own, or with ``shared_home`` in the one in which this process runs; from there those of other hosts are reached,
    too, in the prefixes ``elsewhere``. ``names`` are servers that lead devices (address, port) among these addresses:
    devices may ask them without a rule, and they see who asks.
    """

    name: str
    own: tuple[str, ...]
    home: tuple[str, ...]
    apps: tuple[str, ...]
    access: tuple[AccessNetwork, ...]
    shared_home: bool = False
    names: tuple[tuple[str, int], ...] = ()
    elsewhere: tuple[str, ...] = ()

    @property
    def plane_space(self) -> str:
        """The namespace of the rules."""
        return PREFIX + self.name

    @property
    def home_space(self) -> str:
        """The namespace of the applications; empty: this process's own."""
        return "" if self.shared_home else f"{self.plane_space}.apps"

    def access_space(self, network: AccessNetwork) -> str:
        """The namespace of an access network."""
        return f"{self.plane_space}.net.{network.name}"

    def device_space(self, device: str) -> str:
        """The namespace of a device."""
        return f"{self.plane_space}.dev.{device}"

    @property
    def links(self) -> dict[str, str]:
        """Each access network's link in the plane's namespace."""
        return {network.name: f"acc{n}" for n, network in enumerate(self.access)}

    @property
    def tunnelled(self) -> dict[str, str]:
        """The interface of each access network by which devices come out of tunnels."""
        return {network.name: f"gtp{n}" for n, network in enumerate(self.access) if network.devices}

    @property
    def interfaces(self) -> dict[str, str]:
        """The interface by which the devices of each access network come."""
        return self.links | self.tunnelled

    @property
    def tunnel_ends(self) -> tuple[str, ...]:
        """The plane's addresses at which tunnels end: towards base stations, and towards applications."""
        if not self.tunnelled:
            return ()
        gateways = (at for network in self.access if network.devices for at in network.gateways)
        return tuple(str(ip_interface(at).ip) for at in (*gateways, *self.own))

    @property
    def home_link(self) -> str:
        """The interface by which applications are reached, of the same name on both sides; no other host has it."""
        return short("apps", self.name)


@dataclass
class Built:
    """Lines for the namespace that this process is in, and for others by name, in this order."""

    here: list[str] = field(default_factory=list)
    inside: dict[str, list[str]] = field(default_factory=dict)
    inside_ipv6: dict[str, list[str]] = field(default_factory=dict)


Joined = dict[str, list[str]]
"""The ends of links, by the namespace in which each is; empty: the one that this process is in."""


def short(kind: str, name: str) -> str:
    """A name for an interface, which may have 15 characters."""
    return kind + hashlib.sha256(name.encode()).hexdigest()[:8]


def spaces(site: Site) -> list[str]:
    """The namespaces of a site, the plane's first."""
    found = [site.plane_space, *(site.access_space(network) for network in site.access)]
    return found if site.shared_home else [*found, site.home_space]


def links(site: Site) -> Built:
    """Join the namespaces of a site, which are there and empty."""
    plane, built = site.plane_space, Built()
    for network in site.access:
        interface, space = site.links[network.name], site.access_space(network)
        built.here.append(f"link add name {interface} netns {plane} type veth peer name plane netns {space}")
        built.inside.setdefault(plane, []).extend(_up(interface, network.gateways))
        built.inside[space] = ["link set lo up", "link add name bridge type bridge", "link set plane master bridge"]
        built.inside[space] += ["link set plane up", "link set bridge up"]
    link, away = site.home_link, f" netns {site.home_space}" if site.home_space else ""
    built.here.append(f"link add name {link} netns {plane} type veth peer name {link}{away}")
    built.inside[plane] += ["link set lo up", *_up(link, site.own)]
    reached = (*site.apps, *site.elsewhere)
    built.inside[plane] += [f"route add {prefix} via {_bare(site.home, prefix)}" for prefix in reached]
    lines = _up(link, site.home) + [f"route add local {prefix} dev {link}" for prefix in site.apps]
    if site.shared_home:
        built.here += lines + [f"route add {net} via {_bare(site.own, net)}" for net in _device_networks(site)]
    else:
        ways = [f"route add default via {ip_interface(at).ip}" for at in site.own]
        built.inside[site.home_space] = ["link set lo up", *lines, *ways]
    _tunnels(site, built.inside[plane])
    _ways(site, built)
    return built


def _tunnels(site: Site, lines: list[str]) -> None:
    """Interfaces of the tunnel end. They stay when it ends, and with them the rules that name them."""
    for network in site.access:
        if network.devices:
            device = site.tunnelled[network.name]
            lines += _by_end(device, labels.DEVICES)
            lines += [f"route add {prefix} dev {device}" for prefix in network.devices]
    if site.tunnelled:
        lines += _by_end(FAR_END_DEVICE, labels.FAR_ENDS)


def _by_end(device: str, address: bytes) -> list[str]:
    given = f"address {labels.written(address)} mtu {MTU} arp off addrgenmode none"
    return [f"tuntap add dev {device} mode tap", f"link set {device} {given}", f"link set {device} up"]


def _ways(site: Site, built: Built) -> None:
    """Where packets go that rules send elsewhere than their address says: by the mark that says the way."""
    plane, link = site.plane_space, site.home_link
    built.inside_ipv6[plane] = []
    for lines, nobody in ((built.inside[plane], "169.254.77.77"), (built.inside_ipv6[plane], "fe80::4d")):
        lines += [f"rule add fwmark {TO_MAC:#x}/{KIND_OF_WAY:#x} table {TO_MAC_TABLE}"]
        lines += [f"neighbour add {nobody} lladdr {labels.written(labels.of_tunnel(0))} dev {link} nud permanent"]
        lines += [f"route add default via {nobody} dev {link} onlink table {TO_MAC_TABLE}"]
        if site.tunnelled:
            lines += [f"rule add fwmark {TO_TUNNEL:#x}/{KIND_OF_WAY:#x} table {TO_TUNNEL_TABLE}"]
            lines += [f"route add default dev {FAR_END_DEVICE} table {TO_TUNNEL_TABLE}"]


def joined(site: Site) -> Joined:
    """The ends of the links of `links`."""
    found = {site.access_space(network): ["plane"] for network in site.access}
    return {site.plane_space: [*site.links.values(), site.home_link], **found, site.home_space: [site.home_link]}


def device_links(site: Site, device: str, network: AccessNetwork, addresses: tuple[str, ...]) -> Built:
    """Join a device, whose namespace is there, to an access network; ``addresses`` with prefix length."""
    space, port = site.device_space(device), short("dev", device)
    gateways = [f"route add default via {ip_interface(at).ip}" for at in network.gateways if _reached(at, addresses)]
    return Built(
        [f"link add name eth0 netns {space} type veth peer name {port} netns {site.access_space(network)}"],
        {
            site.access_space(network): [f"link set {port} master bridge", f"link set {port} up"],
            space: ["link set lo up", *_up("eth0", addresses), *gateways],
        },
    )


def device_joined(site: Site, device: str, network: AccessNetwork) -> Joined:
    """The ends of the link of `device_links`."""
    return {site.device_space(device): ["eth0"], site.access_space(network): [short("dev", device)]}


def tap_links(site: Site, device: str) -> Built:
    """A tap from the plane to the home of applications; it carries frames, no addresses."""
    away = f" netns {site.home_space}" if site.home_space else ""
    built = Built([f"link add name {device} netns {site.plane_space} type veth peer name {device}{away}"])
    built.inside[site.plane_space] = [f"link set {device} up"]
    if site.shared_home:
        built.here.append(f"link set {device} up")
    else:
        built.inside[site.home_space] = [f"link set {device} up"]
    return built


def _device_networks(site: Site) -> list[str]:
    """Where devices are: what answers them without hiding behind the plane must find the way back."""
    behind = {prefix for network in site.access for prefix in network.devices}
    return sorted(behind | {str(ip_interface(at).network) for network in site.access for at in network.gateways})


def _up(interface: str, addresses: tuple[str, ...]) -> list[str]:
    given = [f"address add {at} dev {interface}{' nodad' if ':' in at else ''}" for at in addresses]
    return [*given, f"link set {interface} up"]


def _bare(addresses: tuple[str, ...], like: str) -> str:
    """The one of some addresses that is of the IP version of another."""
    version = ip_interface(like).version
    return next(str(ip_interface(at).ip) for at in addresses if ip_interface(at).version == version)


def _reached(gateway: str, addresses: tuple[str, ...]) -> bool:
    return any(ip_interface(gateway).ip in ip_interface(at).network for at in addresses)
