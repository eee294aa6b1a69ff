"""The names that this server answers for, and what is said of one that does not exist (RFC 1034, RFC 2308)."""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import dns.name

from hanse.drivers.names_embedded.choices import Choices
from hanse.drivers.names_embedded.records import check
from hanse.kit.domain_names import read_domain_name
from hanse.kit.problems import bad_request
from hanse.refpoints.mp2 import NameRecord

NEGATIVE_TTL = 5
"""Seconds that a "no such name" may be remembered: short, for a rule may be activated any moment."""

OWN_TTL = 300
"""Seconds that the name and address of this server itself may be remembered."""

_OWN_LABEL, _RESPONSIBLE_LABEL = b"\x02ns", b"\x0ahostmaster"
_SOA_NUMBERS = struct.Struct("!5I")
_LONGEST_NAME = 255


class Place(NamedTuple):
    """A name that this server knows of: its zone, its records, and whether it exists.

    Names are bytes as on the wire, in lower case. ``lent``: the zone is not ours, only this name was published.
    """

    apex: bytes
    choices: Choices
    exists: bool
    lent: bool


_NOTHING = Choices()


class Zones:
    """Records below the given zones; a published name outside all of them is a zone of its own."""

    def __init__(
        self, zones: Iterable[str] = (), changed: Callable[[bytes], None] = lambda _: None, address: str = "127.0.0.1"
    ) -> None:
        """``address`` is where this server is asked: that of the name ``ns`` in each zone, which NS and SOA tell."""
        self._apexes = frozenset(_apex(zone) for zone in zones)
        self._by_id: dict[str, tuple[bytes, NameRecord]] = {}
        self._owned = defaultdict[str, set[str]](set)
        self._at: dict[bytes, Choices] = {}
        self._places: dict[bytes, Place] = {}
        self._below: Counter[bytes] = Counter()
        self._changed = changed
        self._own = frozenset(server_name(apex) for apex in self._apexes)
        self.serial = 1
        for name in self._own:
            text = dns.name.from_wire(name, 0)[0].to_text()
            self._insert(name, _own_record(text, address))

    def records(self) -> list[NameRecord]:
        """All records, in the order of their ids."""
        return [self._by_id[record_id][1] for record_id in sorted(self._by_id)]

    def records_of(self, owner: str) -> list[NameRecord]:
        """Those of one owner, in the order of their ids."""
        return [self._by_id[record_id][1] for record_id in sorted(self._owned.get(owner, ()))]

    def put(self, record: NameRecord) -> None:
        """Answer with the record, replacing one of the same id; 400 names what cannot be read."""
        name = self._checked(record)
        self.remove(record.record_id)
        self._by_id[record.record_id] = name, record
        self._owned[record.owner].add(record.record_id)
        self._insert(name, record)
        self._touch(name)

    def replace(self, owner: str, records: Sequence[NameRecord]) -> None:
        """Let these be all records of an owner; 400 names what cannot be read, and leaves everything as it was."""
        for record in records:
            self._checked(record)
        keep = {record.record_id for record in records}
        for record_id in self._owned.get(owner, set()) - keep:
            self.remove(record_id)
        for record in records:
            if self._by_id.get(record.record_id, (b"", None))[1] != record:
                self.put(record)

    def remove(self, record_id: str) -> None:
        """Stop answering with it; an unknown id is no error."""
        if record_id not in self._by_id:
            return
        name, record = self._by_id.pop(record_id)
        self._owned[record.owner].discard(record_id)
        if not self._owned[record.owner]:
            del self._owned[record.owner]
        self._at[name].remove(record)
        if not self._at[name]:
            del self._at[name], self._places[name]
        for above in _ancestors(name):
            self._below[above] -= 1
            if not self._below[above]:
                del self._below[above]
        self._touch(name)

    def look(self, name: bytes) -> Place | None:
        """What is at a name (on the wire, lower case); ``None`` if it is in no zone of this server."""
        return self._places.get(name) or self._looked(name)

    def _looked(self, name: bytes) -> Place | None:
        choices = self._at.get(name)
        if name in self._apexes:
            return Place(name, choices or _NOTHING, exists=True, lent=False)
        apex = next((above for above in _ancestors(name) if above in self._apexes), None)
        if apex is not None:
            return Place(apex, choices or _NOTHING, choices is not None or name in self._below, lent=False)
        return Place(name, choices, exists=True, lent=True) if choices else None

    def _checked(self, record: NameRecord) -> bytes:
        name = check(record)
        if name in self._own:
            raise bad_request("name is the name server's own", f"choose another than {record.name}, which NS tells")
        if name in self._apexes and isinstance(record.canonical, str):
            detail = f"give {record.name} an address: the apex of a zone has records of its own (RFC 1912, 2.4)"
            raise bad_request("canonical is not possible here", detail)
        return name

    def _insert(self, name: bytes, record: NameRecord) -> None:
        self._at.setdefault(name, Choices()).put(record)
        self._below.update(_ancestors(name))
        if name not in self._places:
            place = self._looked(name)
            assert place is not None
            self._places[name] = place  # the same for as long as the name has any record

    def _touch(self, name: bytes) -> None:
        self.serial = self.serial % 0xFFFFFFFF + 1
        self._changed(name)


def server_name(apex: bytes) -> bytes:
    """The name of this server in a zone (on the wire, lower case)."""
    return _OWN_LABEL + apex


def authorities(apex: bytes, lent: bool) -> tuple[bytes, bytes]:
    """Server and mail address in a SOA (RFC 1035, 3.3.13; RFC 2142, 7); a name only lent has none of its own."""
    return (apex, apex) if lent else (server_name(apex), _RESPONSIBLE_LABEL + apex)


def soa_numbers(serial: int) -> bytes:
    """What a SOA tells after its names: serial, refresh, retry, expiry, and how long "no such name" is good."""
    return _SOA_NUMBERS.pack(serial, 3600, 600, 86400, NEGATIVE_TTL)


def _own_record(name: str, address: str) -> NameRecord:
    return NameRecord(record_id="name server", owner="", name=name, address=address, ttl=OWN_TTL)


def _apex(zone: str) -> bytes:
    apex = read_domain_name(zone, "zone").to_digestable()
    if len(authorities(apex, lent=False)[1]) > _LONGEST_NAME:
        raise bad_request("zone is too long", f"leave room for a label before it; got {zone!r}")
    return apex


def _ancestors(name: bytes) -> Iterator[bytes]:
    """The names above, the nearest first, without the root."""
    above = name[1 + name[0] :]
    while len(above) > 1:
        yield above
        above = above[1 + above[0] :]
