"""What is said about a name to a client, as record sets: the complete way, in the terms of dnspython."""

from __future__ import annotations

from typing import NamedTuple

import dns.name
import dns.rdata
import dns.rrset
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rrset import RRset

from hanse.drivers.names_embedded.choices import Chosen, packed
from hanse.drivers.names_embedded.clients import NOBODY, Client
from hanse.drivers.names_embedded.zones import (
    NEGATIVE_TTL,
    OWN_TTL,
    Place,
    Zones,
    authorities,
    server_name,
    soa_numbers,
)

MOST_ALIASES = 8
"""Canonical names that are followed one after the other."""


class Answer(NamedTuple):
    """A code, the records asked for, the SOA if there are none, the bits of the client that this depends on.

    ``alias`` is the canonical name of another server at which the answer goes on; ``ours``: it begins with a name of
    ours (the flag AA); ``additional`` is what the asker would ask next.
    """

    code: Rcode
    records: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()
    scope: int = 0
    alias: Name | None = None
    ours: bool = True
    additional: tuple[RRset, ...] = ()


def find(zones: Zones, name: Name, kind: RdataType, client: Client) -> Answer | None:
    """What is known about a name, canonical names followed; ``None`` if it is in no zone of this server.

    A chain of names that comes back to itself, or is too long, is told as far as it goes, each name once.
    """
    found, seen = _at(zones, name, kind, client), {name}
    while found is not None and found.alias is not None:
        if found.alias in seen or len(seen) > MOST_ALIASES:
            return found._replace(alias=None)
        seen.add(found.alias)
        more = _at(zones, found.alias, kind, client)
        if more is None:
            return found._replace(scope=max(found.scope, dependence(zones, found.alias, client)))
        records = (*found.records, *more.records)
        found = more._replace(records=records, scope=max(found.scope, more.scope))
    return found


def dependence(zones: Zones, name: Name, client: Client) -> int:
    """How many bits of the client decide what this server says of a name: of one published for some, to others too."""
    place = zones.look(name.to_digestable())
    return place.choices.scope(client) if place else 0


def _at(zones: Zones, name: Name, kind: RdataType, client: Client) -> Answer | None:
    place = zones.look(name.to_digestable())
    if place is None:
        return None
    chosen, scope = place.choices.of(client), place.choices.scope(client)
    if chosen is None and place.lent:
        return None  # published for others only: this client gets what the world says
    own = _at_apex(zones, name, kind, place, bool(chosen))
    if own is not None:
        return own._replace(scope=scope)
    if chosen is not None and chosen.alias is not None:
        target = dns.name.from_text(chosen.alias)
        record = _set(name, chosen.ttl(), RdataType.CNAME, target.to_wire() or b"")
        onward = None if kind in (RdataType.CNAME, RdataType.ANY) else target
        return Answer(Rcode.NOERROR, (record,), (), scope, onward)
    records = _addresses(name, kind, chosen)
    code = Rcode.NOERROR if place.exists else Rcode.NXDOMAIN
    return Answer(code, records, () if records else (_soa(zones, name, place),), scope)


def _at_apex(zones: Zones, name: Name, kind: RdataType, place: Place, addressed: bool) -> Answer | None:
    """What a zone says of itself: SOA, also to ANY where nothing better is, and who serves it, with its address."""
    if kind not in (RdataType.SOA, RdataType.NS, RdataType.ANY) or name.to_digestable() != place.apex:
        return None
    if kind is RdataType.SOA or (kind is RdataType.ANY and not addressed):
        return Answer(Rcode.NOERROR, (_soa(zones, name, place),))
    if kind is RdataType.ANY or place.lent:
        return None
    server = dns.name.from_wire(server_name(place.apex), 0)[0]
    own = zones.look(server.to_digestable())
    chosen = own.choices.of(NOBODY) if own else None
    addresses = [each for kind in (RdataType.A, RdataType.AAAA) for each in _addresses(server, kind, chosen)]
    record = _set(name, OWN_TTL, RdataType.NS, server_name(place.apex))
    return Answer(Rcode.NOERROR, (record,), additional=tuple(addresses))


def _addresses(name: Name, kind: RdataType, chosen: Chosen | None) -> tuple[RRset, ...]:
    """The address records of a type; for ANY those of one type: asking it gains nothing (RFC 8482, 4.1)."""
    for each in (RdataType.A, RdataType.AAAA) if kind is RdataType.ANY else (kind,):
        addresses = chosen.addresses(each) if chosen else []
        if chosen and addresses:
            return (_set(name, chosen.ttl(), each, *(packed(each, address) for address in addresses)),)
    return ()


def _soa(zones: Zones, name: Name, place: Place) -> RRset:
    apex, _ = dns.name.from_wire(place.apex, 0)
    owner = Name(name.labels[-len(apex.labels) :])
    told = b"".join(authorities(place.apex, place.lent)) + soa_numbers(zones.serial)
    return _set(owner, NEGATIVE_TTL, RdataType.SOA, told)


def _set(name: Name, ttl: int, kind: RdataType, *wires: bytes) -> RRset:
    found = (dns.rdata.from_wire(RdataClass.IN, kind, wire, 0, len(wire)) for wire in wires)
    return dns.rrset.from_rdata(name, ttl, *found)
