"""A host's data plane as settings describe it: what it joins, and the names of its namespaces and interfaces (pure)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import ip_interface

PREFIX = "hanse-"


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


def short(kind: str, name: str) -> str:
    """A name for an interface, which may have 15 characters."""
    return kind + hashlib.sha256(name.encode()).hexdigest()[:8]
