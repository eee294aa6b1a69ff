"""The names that this server answers for, and what is said of one that does not exist (RFC 1034, RFC 2308)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address
from typing import NamedTuple

import dns.exception
import dns.name
import dns.rrset
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from dns.rrset import RRset

from hanse.kit.problems import bad_request
from hanse.refpoints.mp2 import NameRecord

NEGATIVE_TTL = 5
"""Seconds that a "no such name" may be remembered: short, for a rule may be activated any moment."""

_MOST_TTL = 2**31 - 1


class Answer(NamedTuple):
    """What is said about a name: a code, the records asked for, and the SOA if there are none."""

    code: Rcode
    records: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()


class Zones:
    """Records below the given zones; a published name outside all of them is a zone of its own."""

    def __init__(self, zones: Iterable[str] = ()) -> None:
        self._apexes = frozenset(read_name(zone, "zone") for zone in zones)
        self._by_id: dict[str, NameRecord] = {}
        self._at: dict[Name, dict[str, NameRecord]] = {}
        self._below: Counter[Name] = Counter()
        self._serial = 1

    def records(self) -> list[NameRecord]:
        """All records, in the order of their ids."""
        return [self._by_id[record_id] for record_id in sorted(self._by_id)]

    def put(self, record: NameRecord) -> None:
        """Answer with the record, replacing one of the same id; 400 names what cannot be read."""
        name = _checked(record)
        self.remove(record.record_id)
        self._by_id[record.record_id] = record
        self._at.setdefault(name, {})[record.record_id] = record
        self._below.update(_ancestors(name))
        self._serial += 1

    def remove(self, record_id: str) -> None:
        """Stop answering with it; an unknown id is no error."""
        record = self._by_id.pop(record_id, None)
        if record is None:
            return
        name = read_name(record.name, "name")
        self._below.subtract(_ancestors(name))
        self._below += Counter()  # forgets the names below which nothing is left
        del self._at[name][record_id]
        if not self._at[name]:
            del self._at[name]
        self._serial += 1

    def find(self, name: Name, kind: RdataType) -> Answer | None:
        """What is known about a name; ``None`` if it is in no zone of this server."""
        apex = self._apex(name)
        if apex is None:
            return None
        soa = self._soa(apex)
        if name == apex and kind in (RdataType.SOA, RdataType.ANY):
            return Answer(Rcode.NOERROR, (*self._addresses(name, kind), soa))
        if addresses := self._addresses(name, kind):
            return Answer(Rcode.NOERROR, addresses)
        exists = name == apex or name in self._at or name in self._below
        return Answer(Rcode.NOERROR if exists else Rcode.NXDOMAIN, (), (soa,))

    def _apex(self, name: Name) -> Name | None:
        """The zone that a name is in: the longest configured one, or the name itself if it was published outside."""
        configured = next((parent for parent in (name, *_ancestors(name)) if parent in self._apexes), None)
        if configured is None and name in self._at:
            return name
        return configured

    def _addresses(self, name: Name, kind: RdataType) -> tuple[RRset, ...]:
        """The A and AAAA record sets of a name that were asked for, written as the asker wrote the name."""
        here = self._at.get(name, {}).values()
        wanted = [k for k in (RdataType.A, RdataType.AAAA) if kind in (k, RdataType.ANY)]
        sets = ([r for r in here if _kind(r) is k] for k in wanted)
        return tuple(
            dns.rrset.from_text_list(name, min(r.ttl for r in some), "IN", k, [r.address for r in some])
            for k, some in zip(wanted, sets, strict=True)
            if some
        )

    def _soa(self, apex: Name) -> RRset:
        owner = apex.to_text()
        text = f"{owner} {owner} {self._serial} 3600 600 86400 {NEGATIVE_TTL}"
        return dns.rrset.from_text(apex, NEGATIVE_TTL, "IN", RdataType.SOA, text)


def read_name(text: str, field: str) -> Name:
    """An absolute name, with or without its final dot; 400 names ``field`` if it is none, or has a wildcard."""
    try:
        name = dns.name.from_text(text)
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        raise bad_request(f"{field} is not a domain name", f"write a name like video.example; {error}") from None
    if name.is_wild() or name == dns.name.root:
        raise bad_request(f"{field} is not a full domain name", f"write one name like video.example; got {text!r}")
    return name


def _checked(record: NameRecord) -> Name:
    name = read_name(record.name, "name")
    try:
        ip_address(record.address)
    except ValueError:
        raise bad_request("address is not an IP address", f"write IPv4 or IPv6; got {record.address!r}") from None
    if not 0 <= record.ttl <= _MOST_TTL:
        raise bad_request("ttl is out of range", f"write seconds between 0 and {_MOST_TTL}; got {record.ttl}")
    return name


def _kind(record: NameRecord) -> RdataType:
    return RdataType.A if ip_address(record.address).version == 4 else RdataType.AAAA


def _ancestors(name: Name) -> list[Name]:
    """The names above, the nearest first, without the root."""
    found = []
    while len(name) > 2:
        name = name.parent()
        found.append(name)
    return found
