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
from hanse.drivers.names_embedded.clients import Client
from hanse.drivers.names_embedded.zones import NEGATIVE_TTL, Place, Zones

MOST_ALIASES = 8
"""Canonical names that are followed one after the other."""


class Answer(NamedTuple):
    """A code, the records asked for, the SOA if there are none, the bits of the client that this depends on.

    ``alias`` is the canonical name at which the answer goes on: one of another server, or of a chain without end.
    """

    code: Rcode
    records: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()
    scope: int = 0
    alias: Name | None = None


def find(zones: Zones, name: Name, kind: RdataType, client: Client) -> Answer | None:
    """What is known about a name, canonical names followed; ``None`` if it is in no zone of this server."""
    found = _at(zones, name, kind, client)
    for _ in range(MOST_ALIASES):
        if found is None or found.alias is None or kind in (RdataType.CNAME, RdataType.ANY):
            break
        more = _at(zones, found.alias, kind, client)
        if more is None:
            break
        scope = max(found.scope, more.scope)
        found = Answer(more.code, (*found.records, *more.records), more.authority, scope, more.alias)
    return found


def _at(zones: Zones, name: Name, kind: RdataType, client: Client) -> Answer | None:
    place = zones.look(name.to_digestable())
    if place is None:
        return None
    chosen, scope = place.choices.of(client), place.choices.scope(client)
    if chosen is None and place.lent:
        return None  # published for others only: this client gets what the world says
    soa = _soa(zones, name, place)
    if name.to_digestable() == place.apex and kind is RdataType.SOA:
        return Answer(Rcode.NOERROR, (soa,), (), scope)
    if chosen is None:
        return Answer(Rcode.NOERROR if place.exists else Rcode.NXDOMAIN, (), (soa,), scope)
    alias = chosen.alias
    if alias is not None:
        target = dns.name.from_text(alias)
        record = dns.rrset.from_text(name, chosen.ttl(), "IN", RdataType.CNAME, target.to_text())
        return Answer(Rcode.NOERROR, (record,), (), scope, target)
    records = _addresses(name, kind, chosen)
    return Answer(Rcode.NOERROR, records, () if records else (soa,), scope)


def _addresses(name: Name, kind: RdataType, chosen: Chosen) -> tuple[RRset, ...]:
    """The address records of a type; for ANY those of one type: asking it gains nothing (RFC 8482, 4.1)."""
    wanted = (RdataType.A, RdataType.AAAA) if kind is RdataType.ANY else (kind,)
    for each in wanted:
        if addresses := chosen.addresses(each):
            return (dns.rrset.from_text_list(name, chosen.ttl(), "IN", each, addresses),)
    return ()


def _soa(zones: Zones, name: Name, place: Place) -> RRset:
    apex, _ = dns.name.from_wire(place.apex, 0)
    owner = Name(name.labels[-len(apex.labels) :])
    text = f"{owner} {owner} {zones.serial} 3600 600 86400 {NEGATIVE_TTL}"
    return dns.rrset.from_text(owner, NEGATIVE_TTL, "IN", RdataType.SOA, text)
