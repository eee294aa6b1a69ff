"""Where devices dial, and what of rules user space cannot carry out."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, ip_address, ip_network
from typing import NamedTuple

from hanse.drivers.dataplane_userspace.rules import TCP
from hanse.refpoints.mp2 import Action, Feature, Forwarding
from hanse.refpoints.mp2.ranges import AddressRange

ANYWHERE = "0.0.0.0"
"""Stands for every address of this machine's loopback."""
LOOPBACK = AddressRange(4, int(IPv4Address("127.0.0.0")), int(IPv4Address("127.255.255.255")))

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
    "every address": "a port that is taken at every address is taken from the application too: a rule for so many "
    "addresses must name its ports, and lead to another port than these",
    "every port": "a rule for more ports than there can be sockets for listens on those at which its toAddress does; "
    "with toPort, what is dialled at others should go there too, but is refused by the kernel",
    "silent DROP": "the kernel has greeted the device before a rule is asked; a dropped TCP flow is reset at once",
    "transparent PASSTHROUGH": "what passes through to another address is relayed to toAddress, whose application sees "
    "the data plane; what was sent to toAddress itself passes by, uncounted",
    "bypass": "a device that dials an application's own address passes by this data plane; it isolates nobody",
}
"""Each thing that this data plane refuses or cannot promise, with the reason."""


class Endpoint(NamedTuple):
    """Where devices dial, or a socket to listen on; ``protocol`` is ``tcp`` or ``udp``."""

    protocol: str
    address: str
    port: int

    @property
    def kind(self) -> socket.SocketKind:
        """The kind of socket that it needs."""
        return socket.SOCK_STREAM if self.protocol == TCP else socket.SOCK_DGRAM

    @property
    def everywhere(self) -> Endpoint:
        """The same port at every address."""
        return Endpoint(self.protocol, ANYWHERE, self.port)


def copies(forwarding: Forwarding) -> bool:
    """Whether a rule copies what others carry."""
    return forwarding.action is Action.DUPLICATE_DECAPSULATED


def is_loopback(address: str) -> bool:
    """Whether the text is an address in 127.0.0.0/8, where every address is there without root."""
    try:
        return ip_address(address) in ip_network("127.0.0.0/8")
    except ValueError:
        return False
