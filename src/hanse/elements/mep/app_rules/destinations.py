"""Where a traffic rule sends what it takes: a destination interface of Mp1 as the data plane is told it (7.1.5.3).

An address or a type of tunnel that can be written in several ways is told in one: who compares destinations sees alike
what is alike. What an app reads back over Mp1 is what it wrote.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from hanse.kit.problems import Problem, bad_request
from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor.traffic import Action, InterfaceType
from hanse.refpoints import mp2
from hanse.refpoints.mm5.platform import AppConfiguration
from hanse.refpoints.mp1.support import DestinationInterface, TrafficRule

OWN_ADDRESS = "0.0.0.0"
"""As a destination in a descriptor: the instance's own address, which no descriptor can know."""
_ENCAPSULATED = (Action.FORWARD_ENCAPSULATED, Action.DUPLICATE_ENCAPSULATED)


class Destination(NamedTuple):
    """An address and port, a MAC interface or a tunnel; nothing for DROP."""

    address: str | Absent = ABSENT
    port: int | Absent = ABSENT
    mac: mp2.Ethernet | Absent = ABSENT
    tunnel: mp2.Tunnel | Absent = ABSENT


def destinations(app: AppConfiguration, rule: TrafficRule) -> tuple[Destination, Destination]:
    """The first interface, and the second, which gets the copies of what goes to devices (7.1.2.2, note 2).

    A problem 400 names what an interface of its type lacks.
    """
    if rule.action is Action.DROP:
        return Destination(), Destination()
    found = [_destination(app, rule.action, interface) for interface in rule.dst_interface]
    if not found:
        raise _invalid(f"{rule.action} needs one")
    return found[0], found[1] if len(found) > 1 else Destination()


def _destination(app: AppConfiguration, action: Action, interface: DestinationInterface) -> Destination:
    if interface.interface_type is InterfaceType.MAC:
        if isinstance(interface.dst_mac_address, Absent):
            raise _invalid("an interface of type MAC needs dstMacAddress")
        there, here = interface.dst_mac_address, interface.src_mac_address
        here = here if isinstance(here, Absent) else ethernet(here)
        return Destination(mac=mp2.Ethernet(dst_address=ethernet(there), src_address=here))
    if interface.interface_type is InterfaceType.TUNNEL:
        return Destination(tunnel=_tunnel(app, interface))
    if isinstance(interface.dst_ip_address, Absent):
        raise _invalid("an interface of type IP needs dstIpAddress")
    address = _own(app, interface.dst_ip_address)
    to_app = address == plain(app.address) and action not in _ENCAPSULATED  # tunnels end at a port of their own
    return Destination(address, app.port if to_app else ABSENT)


def _tunnel(app: AppConfiguration, interface: DestinationInterface) -> mp2.Tunnel:
    described = interface.tunnel_info
    if isinstance(described, Absent):
        raise _invalid("an interface of type TUNNEL needs tunnelInfo")
    far, near = described.tunnel_dst_address, described.tunnel_src_address
    return mp2.Tunnel(
        tunnel_type=described.tunnel_type.strip().upper().replace("-", "_"),
        dst_address=far if isinstance(far, Absent) else _own(app, far),
        src_address=ABSENT if isinstance(near, Absent) or near == OWN_ADDRESS else plain(near),
    )


def _own(app: AppConfiguration, address: str) -> str:
    return plain(app.address if address == OWN_ADDRESS else address)


def plain(address: str) -> str:
    """As it is usually written; what is no address is left to who checks it."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address


def ethernet(address: str) -> str:
    """A MAC address, written in one way only."""
    return address.lower().replace("-", ":")


def _invalid(detail: str) -> Problem:
    return bad_request("Invalid attribute dstInterface", detail)
