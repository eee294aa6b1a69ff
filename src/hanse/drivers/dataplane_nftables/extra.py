"""What a filter asks beyond addresses, protocol and ports: class, access network, tunnel (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hanse.drivers.dataplane_nftables.boxes import Span, merged
from hanse.drivers.dataplane_nftables.gtp.bearer import Numbered, ports
from hanse.drivers.dataplane_nftables.ways import Surroundings
from hanse.kit.problems import bad_request
from hanse.kit.values import Absent
from hanse.refpoints.mp2 import TrafficMatch
from hanse.refpoints.mp2.ranges import address_range

_NO_BEARER: Span = (0, 0)


class Extra(NamedTuple):
    """Conditions that no map of addresses and ports holds; interfaces are those of the plane's own namespace.

    ``bearers`` are numbers of those that a packet must have come by, ``tunnel_ports`` of the far ends of their tunnels;
    ``devices`` (IP version and addresses) are told by these bearers.
    """

    dscp: int | None = None
    traffic_class: int | None = None
    interfaces: tuple[str, ...] | None = None
    bearers: tuple[Span, ...] | None = None
    tunnel_ports: tuple[Span, ...] | None = None
    devices: tuple[tuple[int, Span], ...] = ()


NOTHING = Extra()


def extra(match: TrafficMatch, around: Surroundings, encapsulated: bool) -> Extra:
    """What a filter asks; ``encapsulated``: its rule takes only what came in a tunnel. 400 names what cannot be."""
    if not isinstance(match.dscp, Absent) and not 0 <= match.dscp < 64:
        raise bad_request("dSCP is none", f"write 0 to 63; got {match.dscp}")
    if not isinstance(match.tc, Absent) and not 0 <= match.tc < 256:
        raise bad_request("tC is none", f"write 0 to 255; got {match.tc}")
    chosen = around.bearers.chosen(match)
    sources = None if isinstance(match.src_tunnel_port, Absent) else ports(match.src_tunnel_port, "srcTunnelPort")
    tunnelled = encapsulated or chosen is not None or sources is not None
    return Extra(
        None if isinstance(match.dscp, Absent) else match.dscp,
        None if isinstance(match.tc, Absent) else match.tc,
        _interfaces(match, around, tunnelled),
        None if chosen is None else tuple(merged([(c.number, c.number) for c in chosen])) or (_NO_BEARER,),
        None if sources is None else tuple(sources),
        () if chosen is None else tuple(_devices(chosen)),
    )


def _interfaces(match: TrafficMatch, around: Surroundings, tunnelled: bool) -> tuple[str, ...] | None:
    """Those by which it must come: named, or all with tunnels if it must have come in one."""
    named = None if isinstance(match.in_interface, Absent) else match.in_interface
    if unknown := set(named or ()) - around.interfaces.keys():
        known = ", ".join(sorted(around.interfaces)) or "none"
        raise bad_request("inInterface is unknown", f"access networks are: {known}; got {', '.join(sorted(unknown))}")
    if not tunnelled:
        return None if named is None else tuple(around.interfaces[name] for name in named)
    found = [name for name in around.tunnelled if named is None or name in named]
    if not found:
        detail = f"the filter asks for tunnels, which these have: {', '.join(around.tunnelled) or 'none'}"
        raise bad_request("inInterface has no tunnels", detail)
    return tuple(around.tunnelled[name] for name in found)


def _devices(chosen: Iterable[Numbered]) -> list[tuple[int, Span]]:
    found = [address_range(text, "addresses") for each in chosen for text in each.bearer.addresses]
    return [
        (version, span)
        for version in (4, 6)
        for span in merged([(r.low, r.high) for r in found if r.version == version])
    ]
