"""The names that this server answers for, and what is said of one that does not exist (RFC 1034, RFC 2308)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import ip_address
from typing import NamedTuple

import dns.exception
import dns.name

from hanse.drivers.names_embedded.choices import Choices
from hanse.drivers.names_embedded.clients import networks
from hanse.kit.problems import bad_request
from hanse.refpoints.mp2 import NameRecord

NEGATIVE_TTL = 5
"""Seconds that a "no such name" may be remembered: short, for a rule may be activated any moment."""

_MOST_TTL = 2**31 - 1
_MOST_ORDER = 65535


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

    def __init__(self, zones: Iterable[str] = (), changed: Callable[[bytes], None] = lambda _: None) -> None:
        self._apexes = frozenset(read_name(zone, "zone").to_digestable() for zone in zones)
        self._by_id: dict[str, tuple[bytes, NameRecord]] = {}
        self._at: dict[bytes, Choices] = {}
        self._places: dict[bytes, Place] = {}
        self._below: Counter[bytes] = Counter()
        self._changed = changed
        self.serial = 1

    def records(self) -> list[NameRecord]:
        """All records, in the order of their ids."""
        return [self._by_id[record_id][1] for record_id in sorted(self._by_id)]

    def put(self, record: NameRecord) -> None:
        """Answer with the record, replacing one of the same id; 400 names what cannot be read."""
        name = _checked(record)
        self.remove(record.record_id)
        self._by_id[record.record_id] = name, record
        self._at.setdefault(name, Choices()).put(record)
        self._below.update(_ancestors(name))
        if name not in self._places:
            self._keep(name)
        self._touch(name)

    def replace(self, owner: str, records: Sequence[NameRecord]) -> None:
        """Let these be all records of an owner; 400 names what cannot be read, and leaves everything as it was."""
        for record in records:
            _checked(record)
        keep = {record.record_id for record in records}
        for record_id in [r.record_id for _, r in self._by_id.values() if r.owner == owner]:
            if record_id not in keep:
                self.remove(record_id)
        for record in records:
            if self._by_id.get(record.record_id, (b"", None))[1] != record:
                self.put(record)

    def remove(self, record_id: str) -> None:
        """Stop answering with it; an unknown id is no error."""
        if record_id not in self._by_id:
            return
        name, record = self._by_id.pop(record_id)
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

    def _keep(self, name: bytes) -> None:
        """A name with records has the same place for as long as it has any."""
        place = self._looked(name)
        assert place is not None
        self._places[name] = place

    def _touch(self, name: bytes) -> None:
        self.serial = self.serial % 0xFFFFFFFF + 1
        self._changed(name)


def read_name(text: str, field: str) -> dns.name.Name:
    """An absolute name, with or without its final dot; 400 names ``field`` if it is none, or has a wildcard."""
    try:
        name = dns.name.from_text(text)
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        raise bad_request(f"{field} is not a domain name", f"write a name like video.example; {error}") from None
    if name.is_wild() or name == dns.name.root:
        raise bad_request(f"{field} is not a full domain name", f"write one name like video.example; got {text!r}")
    return name


def _checked(record: NameRecord) -> bytes:
    name = read_name(record.name, "name")
    if isinstance(record.address, str) == isinstance(record.canonical, str):
        raise bad_request("address or canonical", f"give exactly one of them for {record.name}")
    if isinstance(record.canonical, str):
        read_name(record.canonical, "canonical")
    if isinstance(record.address, str):
        _check_address(record.address)
    if not 0 <= record.ttl <= _MOST_TTL:
        raise bad_request("ttl is out of range", f"write seconds between 0 and {_MOST_TTL}; got {record.ttl}")
    if not 0 <= record.order <= _MOST_ORDER:
        raise bad_request("order is out of range", f"write 0 (first) to {_MOST_ORDER}; got {record.order}")
    networks(record.clients)
    return name.to_digestable()


def _check_address(address: str) -> None:
    try:
        right = "%" not in address and bool(ip_address(address))
    except ValueError:
        right = False
    if not right:
        raise bad_request("address is not an IP address", f"write IPv4 or IPv6; got {address!r}")


def _ancestors(name: bytes) -> Iterator[bytes]:
    """The names above, the nearest first, without the root."""
    above = name[1 + name[0] :]
    while len(above) > 1:
        yield above
        above = above[1 + above[0] :]
