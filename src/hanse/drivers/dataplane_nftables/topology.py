"""The namespaces of a host and the links that join them, as lines of ip(8) (pure).

device ── access network (a bridge) ── the plane (rules) ── the applications' home
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_interface

from hanse.drivers.dataplane_nftables.gtp import labels
from hanse.drivers.dataplane_nftables.names import FAR_END_DEVICE
from hanse.drivers.dataplane_nftables.site import AccessNetwork, Site, short

MTU = 1420
"""Bytes of a packet in a tunnel: with the headers of IPv6, UDP and GTP-U and a PDU session container less than 1500."""
TO_TUNNEL, TO_MAC, KIND_OF_WAY = 0x10000000, 0x20000000, 0xF0000000
"""Marks of packets that leave by another way than their address says; the low bits number the way."""
TO_TUNNEL_TABLE, TO_MAC_TABLE = 101, 102


@dataclass
class Built:
    """Lines for the namespace that this process is in, and for others by name, in this order."""

    here: list[str] = field(default_factory=list)
    inside: dict[str, list[str]] = field(default_factory=dict)
    inside_ipv6: dict[str, list[str]] = field(default_factory=dict)


Joined = dict[str, list[str]]
"""The ends of links, by the namespace in which each is; empty: the one that this process is in."""


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
