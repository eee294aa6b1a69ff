"""What is said about a name to a client, as record sets: the complete way, in the terms of dnspython."""

from __future__ import annotations

from typing import NamedTuple

import dns.name
import dns.rrset
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from dns.rrset import RRset

from hanse.drivers.names_embedded.choices import Chosen
from hanse.drivers.names_embedded.clients import NOBODY, Client
from hanse.drivers.names_embedded.zones import NEGATIVE_TTL, OWN_TTL, Place, Zones, authorities, server_name

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
    soa = _soa(zones, name, place)
    if name.to_digestable() == place.apex:
        own = _at_apex(zones, name, kind, place, soa, bool(chosen))
        if own is not None:
            return own._replace(scope=scope)
    if chosen is None:
        return Answer(Rcode.NOERROR if place.exists else Rcode.NXDOMAIN, (), (soa,), scope)
    alias = chosen.alias
    if alias is not None:
        target = dns.name.from_text(alias)
        record = dns.rrset.from_text(name, chosen.ttl(), "IN", RdataType.CNAME, target.to_text())
        onward = None if kind in (RdataType.CNAME, RdataType.ANY) else target
        return Answer(Rcode.NOERROR, (record,), (), scope, onward)
    records = _addresses(name, kind, chosen)
    return Answer(Rcode.NOERROR, records, () if records else (soa,), scope)


def _at_apex(zones: Zones, name: Name, kind: RdataType, place: Place, soa: RRset, addressed: bool) -> Answer | None:
    """What a zone says of itself: SOA, also to ANY where nothing better is, and who serves it, with its address."""
    if kind is RdataType.SOA or (kind is RdataType.ANY and not addressed):
        return Answer(Rcode.NOERROR, (soa,))
    if kind is not RdataType.NS or place.lent:
        return None
    server = dns.name.from_wire(server_name(place.apex), 0)[0]
    record = dns.rrset.from_text(name, OWN_TTL, "IN", RdataType.NS, server.to_text())
    own = zones.look(server.to_digestable())
    chosen = own.choices.of(NOBODY) if own else None
    addresses = [each for kind in (RdataType.A, RdataType.AAAA) for each in _addresses(server, kind, chosen)]
    return Answer(Rcode.NOERROR, (record,), additional=tuple(addresses))


def _addresses(name: Name, kind: RdataType, chosen: Chosen | None) -> tuple[RRset, ...]:
    """The address records of a type; for ANY those of one type: asking it gains nothing (RFC 8482, 4.1)."""
    wanted = (RdataType.A, RdataType.AAAA) if kind is RdataType.ANY else (kind,)
    for each in wanted if chosen else ():
        assert chosen
        if addresses := chosen.addresses(each):
            return (dns.rrset.from_text_list(name, chosen.ttl(), "IN", each, addresses),)
    return ()


def _soa(zones: Zones, name: Name, place: Place) -> RRset:
    apex, _ = dns.name.from_wire(place.apex, 0)
    owner = Name(name.labels[-len(apex.labels) :])
    server, responsible = (dns.name.from_wire(each, 0)[0] for each in authorities(place.apex, place.lent))
    text = f"{server} {responsible} {zones.serial} 3600 600 86400 {NEGATIVE_TTL}"
    return dns.rrset.from_text(owner, NEGATIVE_TTL, "IN", RdataType.SOA, text)
