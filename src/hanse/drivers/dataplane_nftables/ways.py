"""Where a rule sends packets, or copies, if not by their IP address: to an Ethernet address or by a tunnel (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NamedTuple

from hanse.drivers.dataplane_nftables.gtp.bearer import Bearers
from hanse.drivers.dataplane_nftables.gtp.message import PORT
from hanse.drivers.dataplane_nftables.names import FAR_END_DEVICE, GRE, GTP_U
from hanse.kit.problems import Problem, bad_request
from hanse.kit.values import Absent
from hanse.refpoints.mp2 import Action, Ethernet, Forwarding, Tunnel

ENCAPSULATED = (Action.FORWARD_ENCAPSULATED, Action.DUPLICATE_ENCAPSULATED)
"""Actions on what came in a tunnel, which leaves in one."""
_ETHERNET = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_GROUP = 0x01


@dataclass(frozen=True)
class Surroundings:
    """What is around the rules of a plane.

    ``interfaces`` are those by which the devices of each access network come, ``tunnelled`` those of them that come out
    of tunnels; ``link`` leads to applications; ``own`` are the plane's addresses there, ``ends`` all its addresses at
    which tunnels end.
    """

    interfaces: dict[str, str]
    tunnelled: dict[str, str] = field(default_factory=dict)
    link: str = "apps"
    own: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    bearers: Bearers = field(default_factory=Bearers)


class Way(NamedTuple):
    """Frames ``there``, from ``here`` (Ethernet addresses, or of the ends of a tunnel), by the interface ``device``.

    ``tunnel`` is its type if it is one. An empty ``here`` is the link's own.
    """

    tunnel: str
    device: str
    there: str
    here: str


def ways(forwarding: Forwarding, around: Surroundings) -> tuple[Way | None, Way | None]:
    """The way of what a rule takes, or of copies of what comes from devices; and that of copies of what goes to them.

    ``None``: by IP address. 400 names what does not go together, or is not carried.
    """
    f = forwarding
    first = _way(f.action, "to", f.to_address, f.to_mac, f.to_tunnel, around)
    second = _way(f.action, "core", f.core_address, f.core_mac, f.core_tunnel, around)
    given = (f.core_address, f.core_mac, f.core_tunnel)
    if f.action in ENCAPSULATED and not isinstance(f.to_port, Absent) and f.to_port != PORT:
        raise bad_request("toPort is not that of tunnels", f"GTP-U goes to port {PORT}; got {f.to_port}")
    return first, first if all(isinstance(each, Absent) for each in given) else second


def _way(
    action: Action,
    name: str,
    address: str | Absent,
    mac: Ethernet | Absent,
    tunnel: Tunnel | Absent,
    around: Surroundings,
) -> Way | None:
    if sum(not isinstance(each, Absent) for each in (address, mac, tunnel)) > 1:
        detail = "a destination is an address, a MAC interface or a tunnel"
        raise bad_request(f"{name}Address, {name}Mac and {name}Tunnel exclude each other", detail)
    if not isinstance(mac, Absent):
        return _to_mac(action, f"{name}Mac", mac, around)
    if not isinstance(tunnel, Absent):
        if action not in ENCAPSULATED:
            detail = f"{action} brings packets without their tunnel; write an address, or …_ENCAPSULATED"
            raise bad_request(f"{name}Tunnel does not go with the action", detail)
        return _by_tunnel(f"{name}Tunnel", tunnel, around)
    if action in ENCAPSULATED and not isinstance(address, Absent):
        return _by_tunnel(f"{name}Address", Tunnel(tunnel_type=GTP_U, dst_address=address), around)
    return None


def _to_mac(action: Action, name: str, mac: Ethernet, around: Surroundings) -> Way:
    if action in ENCAPSULATED:
        detail = f"a tunnel ends at an IP address; write an address or a tunnel, or {action.replace('_EN', '_DE')}"
        raise bad_request(f"{name} does not go with the action", detail)
    here = "" if isinstance(mac.src_address, Absent) else _ethernet(mac.src_address, f"{name}.srcAddress")
    return Way("", around.link, _ethernet(mac.dst_address, f"{name}.dstAddress"), here)


def _by_tunnel(name: str, tunnel: Tunnel, around: Surroundings) -> Way:
    kind = tunnel.tunnel_type.strip().upper().replace("-", "_")
    if kind not in (GTP_U, GRE):
        raise bad_request(f"{name} is of an unknown type", f"carried are {GTP_U} and {GRE}; got {tunnel.tunnel_type}")
    if isinstance(tunnel.dst_address, Absent):
        raise bad_request(f"{name}.dstAddress is missing", "give the address of the far end")
    there = _address(tunnel.dst_address, f"{name}.dstAddress")
    if there in around.ends:
        raise bad_request(f"{name}.dstAddress is the data plane's own", f"a tunnel has two ends; got {there}")
    version = ip_address(there).version
    here = [at for at in around.own if ip_address(at).version == version]
    if not isinstance(tunnel.src_address, Absent):
        wanted = _address(tunnel.src_address, f"{name}.srcAddress")
        here = [at for at in around.ends if at == wanted and ip_address(at).version == version]
    if not here:
        known = ", ".join(around.ends) or "none"
        raise bad_request(f"{name} has no end here", f"of IPv{version}; addresses of this data plane are: {known}")
    return Way(kind, FAR_END_DEVICE, there, here[0])


def _address(text: str, field: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise bad_request(f"{field} is not an address", f"write an IP address; got {text!r}") from None


def _ethernet(text: str, field: str) -> str:
    written = text.strip().lower().replace("-", ":")
    if not _ETHERNET.fullmatch(written):
        raise _no_ethernet(field, text, "write six bytes like 02:00:5e:00:53:01")
    if int(written[:2], 16) & _GROUP:
        raise _no_ethernet(field, text, "it is the address of a group; write that of one interface")
    return written


def _no_ethernet(field: str, text: str, hint: str) -> Problem:
    return bad_request(f"{field} is not a MAC address", f"{hint}; got {text!r}")
