"""A tunnel end's decisions: a datagram or a frame in, what is to be sent or handed on out (3GPP TS 29.281, 4 and 7).

Packets of devices come out of tunnels as frames with a label, so that rules can ask by which bearer they came. What
goes to a device leaves by the bearer by which its flow came. What rules send on goes by GTP-U, which says the device's
tunnel, or by GRE (RFC 2784), which does not. Pure.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from hanse.drivers.dataplane_nftables.gtp import gre, inner, labels, message
from hanse.drivers.dataplane_nftables.gtp.message import PORT, Kind, Malformed, Message
from hanse.drivers.dataplane_nftables.gtp.table import Entry, FarEnd, Table, Told
from hanse.drivers.dataplane_nftables.names import FAR_END_DEVICE, GRE, GTP_U

Peer = tuple[str, int]


class Datagram(NamedTuple):
    """To be sent from an address of ours; in GRE, which has no ports, that of ``to`` is 0."""

    own: str
    to: Peer
    said: bytes
    kind: str = GTP_U


class Frame(NamedTuple):
    """To be handed to an interface."""

    device: str
    said: bytes


class TunnelEnd:
    """The end of all tunnels of a plane. ``counts`` tells what it carried, and by name what it did not."""

    def __init__(self) -> None:
        self.table = Table(Told())
        self.counts: Counter[str] = Counter()

    def datagram(self, own: str, peer: Peer, said: bytes) -> Datagram | Frame | None:
        """What a datagram to one of our addresses asks for."""
        try:
            heard = message.read(said)
        except Malformed:
            return self._lost("malformed")
        if heard.strange and heard.kind == Kind.G_PDU:
            self.counts["strange_extension"] += 1
            return Datagram(own, peer, message.supported_extensions(heard.sequence))
        if heard.kind == Kind.G_PDU:
            return self._packet(own, peer, heard)
        if heard.kind == Kind.ECHO_REQUEST:
            self.counts["echo"] += 1
            return Datagram(own, peer, message.echo_response(heard.sequence))
        return self._lost("error_indication" if heard.kind == Kind.ERROR_INDICATION else "other_message")

    def from_gre(self, own: str, peer: str, said: bytes) -> Datagram | Frame | None:
        """What a packet of GRE to one of our addresses asks for: the far end of a tunnel speaks to a device."""
        try:
            payload = gre.read(said)
        except Malformed:
            return self._lost("malformed")
        packet = inner.read(payload)
        if packet is None or packet.ethertype != said[2:4]:
            return self._lost("no_packet")
        if (own, peer, GRE) not in self.table.far_ends or not self.table.knows_device(packet.dst):
            return self._lost("foreign")
        return self._to_device(packet, payload)

    def frame(self, device: str, said: bytes) -> Datagram | None:
        """What a frame that the kernel sends by an interface of ours asks for."""
        packet = inner.read(memoryview(said)[14:]) if said[12:14] in (inner.IPV4, inner.IPV6) else None
        if packet is None:
            return self._lost("no_packet")
        if device == FAR_END_DEVICE:
            return self._by_tunnel(said, packet)
        entry = self.table.of_device(packet.dst, packet.flow)
        if entry is None:
            return self._lost("no_bearer")
        self.counts["down"] += 1
        to = (entry.bearer.base_station, PORT)
        return Datagram(entry.own, to, message.g_pdu(entry.bearer.teid_down, memoryview(said)[14:], entry.qfi))

    def _packet(self, own: str, peer: Peer, heard: Message) -> Datagram | Frame | None:
        packet = inner.read(heard.payload)
        if packet is None:
            return self._lost("no_packet")
        entry = self.table.tunnel_up(own, heard.teid, heard.qfi)
        if entry is None or entry.bearer.base_station != peer[0]:
            if (own, peer[0], GTP_U) in self.table.far_ends:
                return self._from_core(own, peer, heard, packet)
            return self._unknown(own, peer, heard) if entry is None else self._lost("foreign")
        if not self.table.owns(entry, packet.src):
            return self._lost("foreign")  # one device in the name of another
        self.table.came(entry, packet)
        self.counts["up"] += 1
        label = labels.of_bearer(entry.number, peer[1])
        return Frame(entry.device, labels.DEVICES + label + packet.ethertype + heard.payload)

    def _from_core(self, own: str, peer: Peer, heard: Message, packet: inner.Packet) -> Datagram | Frame | None:
        """The far end of a tunnel speaks to a base station's TEID, as if we were that."""
        if not self.table.knows_down(heard.teid):
            return self._unknown(own, peer, heard)
        if not self.table.tunnel_down(heard.teid, packet.dst):
            return self._lost("foreign")
        return self._to_device(packet, heard.payload)

    def _to_device(self, packet: inner.Packet, payload: memoryview) -> Frame:
        self.counts["from_tunnels"] += 1
        label = labels.of_tunnel(0)
        return Frame(FAR_END_DEVICE, labels.FAR_ENDS + label + packet.ethertype + payload)

    def _by_tunnel(self, said: bytes, packet: inner.Packet) -> Datagram | None:
        tunnel = self.table.tunnels.get(labels.tunnel(said[:6]))
        if tunnel is None:
            return self._lost("no_tunnel")
        source = said[6:12]
        if source == labels.DEVICES:  # a copy of what goes to a device
            entry = self.table.of_device(packet.dst, packet.flow)
            return self._sent(tunnel, entry, said, up=False)
        if source == labels.FAR_ENDS:
            entry = self.table.of_device(packet.src, packet.answers)
        else:  # a copy of what came by a bearer
            entry = self.table.numbered.get(labels.bearer(source))
        return self._sent(tunnel, entry, said, up=True)

    def _sent(self, tunnel: FarEnd, entry: Entry | None, said: bytes, *, up: bool) -> Datagram | None:
        if entry is None:
            return self._lost("no_bearer")
        self.counts["to_tunnels"] += 1
        if tunnel.kind == GRE:
            return Datagram(tunnel.own, (tunnel.address, 0), gre.wrapped(said[12:14], memoryview(said)[14:]), GRE)
        teid = entry.bearer.teid_up if up else entry.bearer.teid_down
        wrapped = message.g_pdu(teid, memoryview(said)[14:], entry.qfi, up=up)
        return Datagram(tunnel.own, (tunnel.address, PORT), wrapped)

    def _unknown(self, own: str, peer: Peer, heard: Message) -> Datagram:
        self.counts["unknown_teid"] += 1
        return Datagram(own, (peer[0], PORT), message.error_indication(heard.teid, own))

    def _lost(self, why: str) -> Datagram | None:
        self.counts[why] += 1
        return None
