"""A traffic rule as a data plane carries it out (ETSI GS MEC 011 V3.1.1, 7.1.2.2 and 7.1.5)."""

from __future__ import annotations

from hanse.kit.values import ABSENT, Absent, Value
from hanse.model.descriptor.traffic import Action, FilterType


class TrafficMatch(Value, gc=False):
    """One filter, resolved to addresses: its attributes are ANDed, the values of one attribute ORed.

    Addresses are ``a.b.c.d``, ``a.b.c.d/len`` or ``a.b.c.d-a.b.c.e``, IPv6 likewise; ports ``80`` or ``8000-8010``;
    protocols IANA's names or numbers (`protocols`), beside ports only those that have ports; ``dscp`` 0 to 63 (IPv4),
    ``tc`` 0 to 255 (IPv6); tunnel addresses and ports those of GTP-U (ETSI GS MEC 011 V3.1.1, 7.1.5.2). No header
    carries a QCI: ``qci`` is that of the bearer by which a packet came, so it and the tunnel attributes match only what
    came in a tunnel. ``in_interface`` are access networks by name. An absent attribute matches everything.
    """

    src_address: tuple[str, ...] | Absent = ABSENT
    dst_address: tuple[str, ...] | Absent = ABSENT
    src_port: tuple[str, ...] | Absent = ABSENT
    dst_port: tuple[str, ...] | Absent = ABSENT
    protocol: tuple[str, ...] | Absent = ABSENT
    src_tunnel_address: tuple[str, ...] | Absent = ABSENT
    tgt_tunnel_address: tuple[str, ...] | Absent = ABSENT
    src_tunnel_port: tuple[str, ...] | Absent = ABSENT
    dst_tunnel_port: tuple[str, ...] | Absent = ABSENT
    qci: int | Absent = ABSENT
    dscp: int | Absent = ABSENT
    tc: int | Absent = ABSENT
    in_interface: tuple[str, ...] | Absent = ABSENT


class Tunnel(Value):
    """A tunnel that traffic leaves by: ``GTP_U``, ``GRE`` or another type, and its two ends (7.1.5.4).

    ``src_address`` absent: the data plane's own address towards applications.
    """

    tunnel_type: str
    dst_address: str | Absent = ABSENT
    src_address: str | Absent = ABSENT


class Ethernet(Value):
    """A MAC interface (7.1.5.3): the address that frames go to, and the one that they come from.

    ``src_address`` absent: that of the link.
    """

    dst_address: str
    src_address: str | Absent = ABSENT


class Forwarding(Value, gc=False):
    """An active traffic rule as the data plane carries it out; several filters are ORed, priority 0 comes first.

    ``to_address`` and ``to_port`` say where matching traffic goes (absent for DROP; an absent port keeps the port that
    the device dialled). PASSTHROUGH leaves packets as they are, on their way to where they were sent. ``owner`` is the
    application instance whose rule it is. A DUPLICATE rule lets traffic go on and brings copies of what comes from
    devices to ``to_address``, of what goes to them to ``core_address`` (absent: to the same). ``to_mac`` and
    ``to_tunnel`` are interfaces of types MAC and TUNNEL in place of ``to_address``, ``core_mac`` and ``core_tunnel`` in
    place of ``core_address`` (7.1.5.3). …_ENCAPSULATED takes only what came in a tunnel, and sends it on in one, to a
    tunnel or to an address that is the far end of one.

    ``shared``: data planes of other hosts may have rules for the same destination, and whichever of them meets a flow
    decides on it; a rule that is not shared has its destination alone.
    """

    rule_id: str
    owner: str
    priority: int
    filter_type: FilterType
    matches: tuple[TrafficMatch, ...]
    action: Action
    to_address: str | Absent = ABSENT
    to_port: int | Absent = ABSENT
    core_address: str | Absent = ABSENT
    to_mac: Ethernet | Absent = ABSENT
    to_tunnel: Tunnel | Absent = ABSENT
    core_mac: Ethernet | Absent = ABSENT
    core_tunnel: Tunnel | Absent = ABSENT
    shared: bool = False
