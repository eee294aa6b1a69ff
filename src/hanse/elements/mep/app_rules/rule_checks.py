"""What the parts of a traffic rule must be beyond their shapes (ETSI GS MEC 011 V3.1.1, 7.1.5.2 to 7.1.5.4; pure).

Whoever carries a rule out would refuse what cannot be read; an app learns of it before anything has changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address

from hanse.kit.problems import Problem, bad_request
from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor.traffic import InterfaceType
from hanse.refpoints.mp1.support import DestinationInterface, TrafficFilter
from hanse.refpoints.mp2.protocols import meant_protocols
from hanse.refpoints.mp2.ranges import address_range, port_range

_TEXTS: dict[str, Callable[[str, str], object]] = {
    "src_address": address_range,
    "dst_address": address_range,
    "src_port": port_range,
    "dst_port": port_range,
    "src_tunnel_address": address_range,
    "tgt_tunnel_address": address_range,
    "src_tunnel_port": port_range,
    "dst_tunnel_port": port_range,
}
_HIGHEST = {"qci": ("qCI", 255), "dscp": ("dSCP", 63), "tc": ("tC", 255)}
"""What fits in an octet of a bearer, in the six bits of an IPv4 header, in the octet of an IPv6 header."""
_OF_TYPE = {
    InterfaceType.TUNNEL: ("tunnel_info",),
    InterfaceType.MAC: ("src_mac_address", "dst_mac_address"),
    InterfaceType.IP: ("dst_ip_address",),
}
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")


def check_filter(wanted: TrafficFilter, path: str) -> None:
    """Addresses, ports, protocols and numbers of a filter at ``path``; 400 names the attribute that cannot be meant."""
    for name, read in _TEXTS.items():
        for text in getattr(wanted, name) or ():
            try:
                read(text, f"{path}.{_wire(name)}")
            except Problem as problem:
                raise _invalid(f"{path}.{_wire(name)}", problem.detail) from None
    _check_protocols(wanted, f"{path}.protocol")
    for name, (wire, highest) in _HIGHEST.items():
        value = getattr(wanted, name)
        if isinstance(value, int) and not 0 <= value <= highest:
            raise _invalid(f"{path}.{wire}", f"0 to {highest}; got {value}")


def _check_protocols(wanted: TrafficFilter, path: str) -> None:
    ports = bool(wanted.src_port) or bool(wanted.dst_port)
    try:
        meant_protocols(wanted.protocol, path, ports=ports)
    except Problem as problem:
        raise _invalid(path, problem.detail) from None


def check_interface(interface: DestinationInterface, path: str) -> None:
    """An interface has the attributes of its own type only, and addresses are addresses (7.1.5.3, 7.1.5.4)."""
    own = _OF_TYPE[interface.interface_type]
    for names in _OF_TYPE.values():
        for name in names:
            if name not in own and getattr(interface, name) is not ABSENT:
                detail = f"an interface of type {interface.interface_type} must not have this"
                raise bad_request(f"Unexpected attribute {path}.{_wire(name)}", detail)
    _check_ip(interface.dst_ip_address, f"{path}.dstIpAddress")
    for name in _OF_TYPE[InterfaceType.MAC]:
        address = getattr(interface, name)
        if isinstance(address, str) and not is_mac(address):
            raise _invalid(f"{path}.{_wire(name)}", f"six octets like 02:00:00:00:00:07; got {address!r}")
    if not isinstance(interface.tunnel_info, Absent):
        _check_ip(interface.tunnel_info.tunnel_dst_address, f"{path}.tunnelInfo.tunnelDstAddress")
        _check_ip(interface.tunnel_info.tunnel_src_address, f"{path}.tunnelInfo.tunnelSrcAddress")


def is_mac(text: str) -> bool:
    """Whether it is a MAC address, with colons or hyphens."""
    return _MAC.fullmatch(text) is not None


def _check_ip(text: str | Absent, path: str) -> None:
    if isinstance(text, Absent):
        return
    try:
        ip_address(text)
    except ValueError:
        raise _invalid(path, f"an IP address like 127.9.0.5 or 2001:db8::7; got {text!r}") from None


def _invalid(path: str, detail: str) -> Problem:
    return bad_request(f"Invalid attribute {path}", detail)


def _wire(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
