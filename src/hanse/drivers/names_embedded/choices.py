"""The records of one name, and which of them a client gets (policy order, then the closest network)."""

from __future__ import annotations

import socket
import struct
from bisect import bisect_left, bisect_right, insort
from collections import Counter

from dns.rdatatype import RdataType

from hanse.drivers.names_embedded.clients import Client, networks
from hanse.refpoints.mp2 import NameRecord

_RECORD = struct.Struct("!HHHIH")
_POINTER_TO_QUESTION = 0xC00C
_EVERYBODY = -1
_LENGTH_BITS, _LENGTH_MASK = 8, 0xFF

Shape = tuple[int, int, int]
"""Where to look: order, network length negated (so that the longest comes first), bits of the address."""


class Chosen:
    """Records that are answered together, in the order of their ids."""

    def __init__(self) -> None:
        self._records: dict[str, NameRecord] = {}
        self._wires: dict[int, tuple[int, bytes]] = {}
        self.alias: str | None = None
        """The canonical name; ``None`` beside an address, for a name has one or the other (RFC 1034, 3.6.2)."""

    def __bool__(self) -> bool:
        return bool(self._records)

    def put(self, record: NameRecord) -> None:
        """Answer with it too."""
        self._records[record.record_id] = record
        self._records = dict(sorted(self._records.items()))
        self._changed()

    def remove(self, record_id: str) -> None:
        """No more."""
        del self._records[record_id]
        self._changed()

    def addresses(self, kind: int) -> list[str]:
        """Of type A or AAAA, each once; none of any other type."""
        found = (r.address for r in self._records.values() if isinstance(r.address, str))
        return list(dict.fromkeys(a for a in found if kind == (RdataType.AAAA if ":" in a else RdataType.A)))

    def ttl(self) -> int:
        """Seconds: the shortest of them."""
        return min(r.ttl for r in self._records.values())

    def wire(self, kind: int) -> tuple[int, bytes]:
        """How many addresses of a type there are, and their bytes in an answer to a question for this name."""
        if kind not in (RdataType.A, RdataType.AAAA):
            return 0, b""
        found = self._wires.get(kind)
        if found is None:
            ttl, addresses = self.ttl(), self.addresses(kind)
            found = self._wires[kind] = len(addresses), b"".join(_address(kind, ttl, a) for a in addresses)
        return found

    def _changed(self) -> None:
        self._wires.clear()
        records = self._records.values()
        addressed = any(isinstance(r.address, str) for r in records)
        names = (r.canonical for r in records if isinstance(r.canonical, str))
        self.alias = None if addressed else next(names, None)


class Choices:
    """All records of a name: a client gets those of the lowest order that has any for it, of its closest network."""

    def __init__(self) -> None:
        self._at: dict[tuple[Shape, int], Chosen] = {}
        self._shapes: list[Shape] = []
        self._count: Counter[Shape] = Counter()
        self._borders: dict[int, list[int]] = {32: [], 128: []}

    def __bool__(self) -> bool:
        return bool(self._at)

    @property
    def same_for_all(self) -> bool:
        """Whether no answer depends on who asks."""
        return not any(self._borders.values())

    def put(self, record: NameRecord) -> None:
        """Add a record; 400 names a client that cannot be read, and nothing is added."""
        for client in networks(record.clients):
            insort(self._borders[client.bits], _border(client.value, client.known))
        for shape, prefix in _places(record):
            if not self._count[shape]:
                insort(self._shapes, shape)
            self._count[shape] += 1
            self._at.setdefault((shape, prefix), Chosen()).put(record)

    def remove(self, record: NameRecord) -> None:
        """Take one away that was put."""
        for client in networks(record.clients):
            borders, border = self._borders[client.bits], _border(client.value, client.known)
            del borders[bisect_left(borders, border)]
        for shape, prefix in _places(record):
            self._count[shape] -= 1
            if not self._count[shape]:
                self._shapes.remove(shape)
            chosen = self._at[shape, prefix]
            chosen.remove(record.record_id)
            if not chosen:
                del self._at[shape, prefix]

    def of(self, client: Client) -> Chosen | None:
        """What a client gets; ``None`` if nothing is for it."""
        for shape in self._shapes:
            _, negated, bits = shape
            if not bits:
                return self._at[shape, 0]
            if bits == client.bits and -negated <= client.known:
                found = self._at.get((shape, client.prefix(-negated)))
                if found is not None:
                    return found
        return None

    def scope(self, client: Client) -> int:
        """How many leading bits of its address decide what a client gets (RFC 7871, 7.2.1).

        More than ``client.known`` say that a longer prefix would get a better answer. In the order of addresses, only
        the networks on either side can share more bits with the client than all others do.
        """
        borders = self._borders.get(client.bits)
        if not borders:
            return 0
        bits, value, known = client
        place = bisect_right(borders, value << _LENGTH_BITS | bits)
        scope = 0
        for border in borders[place - 1 if place else 0 : place + 1]:
            length = border & _LENGTH_MASK
            shared = bits - (value ^ border >> _LENGTH_BITS).bit_length()
            needed = length if shared >= length or shared >= known else shared + 1
            if needed > scope:
                scope = needed
        return scope


def packed(kind: int, address: str) -> bytes:
    """An address as a record A or AAAA has it."""
    return socket.inet_pton(socket.AF_INET6 if kind == RdataType.AAAA else socket.AF_INET, address)


def _border(value: int, length: int) -> int:
    """A network as one number, which sorts as its first address does, then by its length."""
    return value << _LENGTH_BITS | length


def _places(record: NameRecord) -> list[tuple[Shape, int]]:
    if not record.clients:
        return [((record.order, -_EVERYBODY, 0), 0)]
    return [((record.order, -c.known, c.bits), c.prefix(c.known)) for c in networks(record.clients)]


def _address(kind: int, ttl: int, address: str) -> bytes:
    octets = packed(kind, address)
    return _RECORD.pack(_POINTER_TO_QUESTION, kind, 1, ttl, len(octets)) + octets
