"""What user space can carry out of a rule, and where it has to listen for it."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, ip_address, ip_network
from typing import NamedTuple

from hanse.drivers.dataplane_userspace.rules import TCP, Filter, Rule
from hanse.kit.problems import bad_request
from hanse.kit.values import Absent
from hanse.refpoints.mp2 import Action, Feature, Forwarding
from hanse.refpoints.mp2.ranges import AddressRange, PortRange

MOST_SOCKETS = 64
"""Sockets that one rule may need; a wider range would take more of the machine than it is worth."""

_RAW = "it is told by packets; user space sees byte streams and datagrams only; use the nftables data plane"

LACKS: dict[str, str] = {
    Feature.FORWARD_ENCAPSULATED: "encapsulation needs raw packets; user space sees byte streams and datagrams only",
    Feature.DUPLICATE_ENCAPSULATED: "copies and tunnels need raw packets; use the nftables data plane",
    Feature.IPV6: "127.0.0.0/8 is where every address is there without root; IPv6 has one such address",
    Feature.ICMP: "user space relays tcp and udp; the kernel answers a ping by itself",
    Feature.PACKET_PROTOCOLS: "user space relays tcp and udp; others are raw packets; use the nftables data plane",
    Feature.DSCP: _RAW,
    Feature.TRAFFIC_CLASS: _RAW,
    Feature.QCI: _RAW,
    Feature.TUNNEL_FILTERS: "tunnels are made of raw packets",
    Feature.TUNNEL_INTERFACE: "tunnels are made of raw packets",
    Feature.MAC_INTERFACE: "loopback has no MAC addresses",
    "addresses": "only addresses in 127.0.0.0/8 can be listened on without root",
    "silent DROP": "the kernel has greeted the device before a rule is asked; a dropped TCP flow is reset at once",
    "transparent PASSTHROUGH": "what passes through is relayed to toAddress; the application sees the data plane",
    "bypass": "a device that dials an application's own address passes by this data plane; it isolates nobody",
}
"""Each thing that this data plane refuses or cannot promise, with the reason."""

_LOOPBACK = AddressRange(4, int(IPv4Address("127.0.0.0")), int(IPv4Address("127.255.255.255")))


class Endpoint(NamedTuple):
    """A socket to listen on; ``protocol`` is ``tcp`` or ``udp``."""

    protocol: str
    address: str
    port: int

    @property
    def kind(self) -> socket.SocketKind:
        """The kind of socket that it needs."""
        return socket.SOCK_STREAM if self.protocol == TCP else socket.SOCK_DGRAM


def endpoints(rule: Rule) -> frozenset[Endpoint]:
    """Where to listen for a rule; 400 tells what user space cannot carry out.

    A DROP rule needs no socket: it takes flows away from the rules that listen. Nor does one that copies: it copies
    what passes by them.
    """
    forwarding = rule.forwarding
    if forwarding.action is Action.DROP:
        return frozenset()
    _check_target(forwarding)
    if copies(forwarding):
        return frozenset()
    _check_width(rule)
    found = frozenset(e for f in rule.filters for e in _listening(f))
    _check_loop(rule, found)
    return found


def copies(forwarding: Forwarding) -> bool:
    """Whether a rule copies what others carry."""
    return forwarding.action is Action.DUPLICATE_DECAPSULATED


def is_loopback(address: str) -> bool:
    """Whether the text is an address in 127.0.0.0/8, where every address is there without root."""
    try:
        return ip_address(address) in ip_network("127.0.0.0/8")
    except ValueError:
        return False


def _check_target(forwarding: Forwarding) -> None:
    if isinstance(forwarding.to_address, Absent):
        raise bad_request("toAddress is missing", f"a rule that does {forwarding.action} needs an address to go to")
    _check_address("toAddress", forwarding.to_address)
    if not isinstance(forwarding.core_address, Absent):
        _check_address("coreAddress", forwarding.core_address)
    if not isinstance(forwarding.to_port, Absent) and not 0 < forwarding.to_port < 65536:
        raise bad_request("toPort is not a port", f"write a port between 1 and 65535; got {forwarding.to_port}")


def _check_address(name: str, text: str) -> None:
    try:
        IPv4Address(text)
    except ValueError:
        detail = f"write an address like 127.3.0.7; got {text!r}"
        raise bad_request(f"{name} is not an IPv4 address", detail) from None


def _check_width(rule: Rule) -> None:
    needed = sum(_width(f) for f in rule.filters)
    if needed > MOST_SOCKETS:
        detail = f"the filters would take {needed} sockets to listen on, at most {MOST_SOCKETS} are; narrow the ranges"
        raise bad_request("dstAddress and dstPort are too wide", detail)


def _width(described: Filter) -> int:
    """Addresses times ports times protocols, counted before any of them is written out."""
    addresses, ports = _destination(described)
    return sum(a.size for a in addresses) * sum(p.size for p in ports) * len(set(described.protocols))


def _destination(described: Filter) -> tuple[tuple[AddressRange, ...], tuple[PortRange, ...]]:
    if not described.dst_address:
        raise bad_request(
            "dstAddress is missing", "user space listens where devices dial: give addresses in 127.0.0.0/8"
        )
    if not described.dst_port:
        raise bad_request(
            "dstPort is missing", "user space listens where devices dial: give a port or a range of ports"
        )
    for wanted in described.dst_address:
        if not (_LOOPBACK.has(wanted.version, wanted.low) and _LOOPBACK.has(wanted.version, wanted.high)):
            raise bad_request("dstAddress cannot be listened on", LACKS["addresses"])
    return described.dst_address, described.dst_port


def _listening(described: Filter) -> list[Endpoint]:
    addresses, ports = _destination(described)
    return [
        Endpoint(protocol, address, port)
        for protocol in described.protocols
        for span in addresses
        for address in span.addresses()
        for run in ports
        for port in range(run.low, run.high + 1)
    ]


def _check_loop(rule: Rule, found: frozenset[Endpoint]) -> None:
    """A rule that goes to where it listens would dial itself until no socket is left."""
    for endpoint in found:
        if Endpoint(endpoint.protocol, *rule.target(endpoint.port)) in found:
            detail = f"{endpoint.address}:{endpoint.port} would be forwarded to the rule itself; give another target"
            raise bad_request("toAddress is where the rule listens", detail)
