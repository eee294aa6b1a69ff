"""Bearers: which tunnel carries whose packets, and of what class they are (3GPP TS 23.401, 4.7.2; TS 23.501, 5.7).

The core network tells a base station and its user plane of a bearer; no packet says more of it than its TEID and, in
5G, a QoS flow. So a bearer is declared here with the class that goes with it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import NamedTuple

from hanse.drivers.dataplane_nftables.boxes import Span, merged
from hanse.drivers.dataplane_nftables.gtp.inner import owner
from hanse.drivers.dataplane_nftables.gtp.message import PORT
from hanse.kit.problems import bad_request
from hanse.kit.values import ABSENT, Absent, Value
from hanse.refpoints.mp2 import TrafficMatch
from hanse.refpoints.mp2.ranges import address_range, port_range

_LAST_TEID, _LAST_QFI, _LAST_QCI = 2**32 - 1, 63, 255


class Bearer(Value):
    """A bearer of a device, or a QoS flow of its PDU session, between a base station and this data plane.

    ``network`` is the access network, ``base_station`` the address of the far end. ``teid_up`` (ours) marks what comes
    from the device, ``teid_down`` (the base station's) what goes to it; each 1 to 2**32 - 1. ``addresses`` are the
    device's: IPv4 addresses, IPv6 networks of 64 bits. ``qci`` is its class, QCI or 5QI, 0 to 255; ``qfi`` 0 to 63 if
    it is a QoS flow. Of several bearers of one device the first carries what belongs to none.
    """

    network: str
    base_station: str
    teid_up: int
    teid_down: int
    addresses: tuple[str, ...]
    qci: int = 9
    qfi: int | Absent = ABSENT


class Numbered(NamedTuple):
    """A bearer with its number here and the address of this data plane at which it ends."""

    number: int
    own: str
    bearer: Bearer


class Bearers:
    """The bearers that there are."""

    def __init__(self, numbered: Iterable[Numbered] = ()) -> None:
        self.numbered = tuple(numbered)

    def chosen(self, match: TrafficMatch) -> list[Numbered] | None:
        """Those that a filter asks for; ``None`` if it does not ask. 400 names what cannot be read."""
        asked = (match.qci, match.src_tunnel_address, match.tgt_tunnel_address, match.dst_tunnel_port)
        if all(isinstance(each, Absent) for each in asked):
            return None
        if not isinstance(match.qci, Absent) and not 0 <= match.qci <= _LAST_QCI:
            raise bad_request("qCI is none", f"write 0 to {_LAST_QCI}; got {match.qci}")
        ends = ports(match.dst_tunnel_port, "dstTunnelPort")
        sources = _ranges(match.src_tunnel_address, "srcTunnelAddress")
        targets = _ranges(match.tgt_tunnel_address, "tgtTunnelAddress")
        if not any(low <= PORT <= high for low, high in ends):
            return []
        return [
            found
            for found in self.numbered
            if isinstance(match.qci, Absent) or found.bearer.qci == match.qci
            if _lies_in(found.bearer.base_station, sources) and _lies_in(found.own, targets)
        ]


def ports(texts: tuple[str, ...] | Absent, field: str) -> list[Span]:
    """Ranges of ports, all if none is named."""
    if isinstance(texts, Absent):
        return [(0, 65535)]
    return merged([port_range(text, field) for text in texts])


def check(bearers: Iterable[Bearer], networks: Iterable[str]) -> None:
    """400 names what is wrong with bearers; ``networks`` are those that are reached by GTP-U."""
    seen: set[tuple[str, int, object]] = set()
    for bearer in bearers:
        for problem, hint in _wrong(bearer, list(networks)):
            raise bad_request(f"Bearer {bearer.teid_up}: {problem}", hint)
        key = (bearer.network, bearer.teid_up, bearer.qfi)
        if key in seen:
            detail = f"another bearer of {bearer.network} has it, with the same QoS flow"
            raise bad_request(f"Bearer {bearer.teid_up}: teidUp is taken", detail)
        seen.add(key)


def _wrong(bearer: Bearer, networks: list[str]) -> Iterator[tuple[str, str]]:
    if bearer.network not in networks:
        yield "network has no tunnels", f"those with tunnels are: {', '.join(networks) or 'none'}; got {bearer.network}"
    for name, teid in (("teidUp", bearer.teid_up), ("teidDown", bearer.teid_down)):
        if not 0 < teid <= _LAST_TEID:
            yield f"{name} is none", f"write 1 to {_LAST_TEID}; got {teid}"
    if not 0 <= bearer.qci <= _LAST_QCI:
        yield "qci is none", f"write 0 to {_LAST_QCI}; got {bearer.qci}"
    if not isinstance(bearer.qfi, Absent) and not 0 <= bearer.qfi <= _LAST_QFI:
        yield "qfi is none", f"write 0 to {_LAST_QFI}; got {bearer.qfi}"
    if not bearer.addresses:
        yield "addresses is empty", "give the device's addresses"
    try:
        ip_address(bearer.base_station)
    except ValueError:
        yield "baseStation is not an address", f"got {bearer.base_station!r}"
    for text in bearer.addresses:
        try:
            owner(text)
        except ValueError as error:
            yield "addresses has no device's", f"write IPv4 addresses or IPv6 networks of 64 bits; {error}"


def _ranges(texts: tuple[str, ...] | Absent, field: str) -> list[tuple[int, int, int]] | None:
    return None if isinstance(texts, Absent) else [tuple(address_range(text, field)) for text in texts]  # type: ignore[misc]


def _lies_in(text: str, ranges: list[tuple[int, int, int]] | None) -> bool:
    address = ip_address(text)
    return ranges is None or any(v == address.version and low <= int(address) <= high for v, low, high in ranges)
