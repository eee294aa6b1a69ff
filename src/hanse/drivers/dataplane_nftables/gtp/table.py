"""What a tunnel end is told: the bearers and tunnels that there are, to be found by what packets say (pure)."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from ipaddress import ip_address
from typing import NamedTuple

from hanse.drivers.dataplane_nftables.gtp.bearer import Bearer, Numbered
from hanse.drivers.dataplane_nftables.gtp.inner import Packet, owner
from hanse.drivers.dataplane_nftables.names import GTP_U
from hanse.kit.values import Absent, Value

MOST_FLOWS = 65536
"""Flows of devices with several bearers that are remembered; the one that was silent longest is forgotten."""


class Entry(Value):
    """A bearer with its number, the address at which it ends here, and the interface of its packets."""

    number: int
    own: str
    device: str
    bearer: Bearer

    @property
    def qfi(self) -> int | None:
        """The QoS flow, if it is one."""
        return None if isinstance(self.bearer.qfi, Absent) else self.bearer.qfi


class Ends(NamedTuple):
    """Our end of a tunnel and the far one, and of which type it is."""

    own: str
    far: str
    kind: str = GTP_U


class FarEnd(Value):
    """A tunnel with its number, its two ends and its type."""

    number: int
    own: str
    address: str
    kind: str = GTP_U


class Told(Value):
    """All that a tunnel end is to know; it replaces what it knew."""

    entries: tuple[Entry, ...] = ()
    tunnels: tuple[FarEnd, ...] = ()


class Table:
    """Bearers by tunnel and by device, and by which bearer a flow came, which it takes over from the one before."""

    def __init__(self, told: Told, before: Table | None = None) -> None:
        self.numbered = {entry.number: entry for entry in told.entries}
        self.tunnels = {tunnel.number: tunnel for tunnel in told.tunnels}
        self.far_ends = {(t.own, t.address, t.kind) for t in told.tunnels}
        self._up: dict[tuple[str, int], list[Entry]] = defaultdict(list)
        self._down: dict[int, list[Entry]] = defaultdict(list)
        self._of: dict[bytes, list[Entry]] = defaultdict(list)
        for entry in told.entries:
            self._up[entry.own, entry.bearer.teid_up].append(entry)
            self._down[entry.bearer.teid_down].append(entry)
            for address in entry.bearer.addresses:
                self._of[owner(address)].append(entry)
        self._flows: OrderedDict[tuple[object, ...], int] = before._flows if before else OrderedDict()

    def tunnel_up(self, own: str, teid: int, qfi: int | None) -> Entry | None:
        """The bearer of what a base station sends: that of the QoS flow, else the first of the tunnel."""
        found = self._up.get((own, teid), [])
        return next((e for e in found if e.qfi == qfi), found[0] if found else None)

    def knows_down(self, teid: int) -> bool:
        """Whether a base station has a tunnel of this TEID."""
        return teid in self._down

    def tunnel_down(self, teid: int, to: bytes) -> bool:
        """Whether what a core sends to a base station's TEID is for a device of that tunnel."""
        return any(entry in self._of.get(to, ()) for entry in self._down.get(teid, ()))

    def knows_device(self, device: bytes) -> bool:
        """Whether a device has a bearer."""
        return device in self._of

    def owns(self, entry: Entry, source: bytes) -> bool:
        """Whether a source is a device of a bearer."""
        return entry in self._of.get(source, ())

    def came(self, entry: Entry, packet: Packet) -> None:
        """Remember by which bearer a flow came, if its device has several."""
        if len(self._of[packet.src]) > 1:
            self._flows[packet.answers] = entry.number
            self._flows.move_to_end(packet.answers)
            if len(self._flows) > MOST_FLOWS:
                self._flows.popitem(last=False)

    def of_device(self, device: bytes, flow: tuple[object, ...]) -> Entry | None:
        """The bearer for a device's packet: that by which its flow (here: towards the device) came, else the first."""
        found = self._of.get(device)
        if not found:
            return None
        if len(found) == 1:
            return found[0]
        return self.numbered.get(self._flows.get(flow, 0), found[0])


def told(bearers: tuple[Numbered, ...], devices: dict[str, str], tunnels: dict[int, Ends]) -> Told:
    """What to tell: bearers, the interface of each access network, tunnels by number."""
    entries = [Entry(number=n, own=own, device=devices[b.network], bearer=b) for n, own, b in bearers]
    ends = [FarEnd(number=n, own=e.own, address=str(ip_address(e.far)), kind=e.kind) for n, e in tunnels.items()]
    return Told(entries=tuple(entries), tunnels=tuple(ends))
