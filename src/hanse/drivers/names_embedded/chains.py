"""From a question to its answer where names of ours and of others lead to each other (RFC 1034, 3.6.2 and 5.3.2).

A canonical name of others may lead to a name of ours, and the other way round. Ours are always answered from our own
records, so that a device is led the same way by every name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dns.message import Message
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from dns.rrset import RRset

from hanse.drivers.names_embedded.answers import MOST_ALIASES, Answer, dependence, find
from hanse.drivers.names_embedded.clients import Client
from hanse.drivers.names_embedded.zones import Zones

Recall = Callable[[Name, RdataType], "Message | None"]
"""What is known of what others say."""


class Wanted(NamedTuple):
    """A name of others that must be asked before there is an answer."""

    name: Name


def follow(zones: Zones, name: Name, kind: RdataType, client: Client, recall: Recall | None) -> Answer | Wanted:
    """The answer, from our records and from what is known of others'; or whom to ask first.

    Without ``recall`` nothing is said of others: REFUSED, or as far as our own records lead.
    """
    found = find(zones, name, kind, client)
    if found is None:
        found = Answer(Rcode.REFUSED, ours=False, scope=dependence(zones, name, client), alias=name)
    for _ in range(MOST_ALIASES):
        if found.alias is None or recall is None:
            return found
        told = recall(found.alias, kind)
        if told is None:
            return Wanted(found.alias)
        found = _joined(zones, found, told, kind, client)
    return Answer(Rcode.SERVFAIL, ours=found.ours, scope=found.scope)


def _joined(zones: Zones, so_far: Answer, told: Message, kind: RdataType, client: Client) -> Answer:
    """What others say, up to a name of ours, and what we say from there."""
    records, scope = list(so_far.records), so_far.scope
    for each in told.answer:
        records.append(each)
        if each.rdtype is RdataType.CNAME and kind not in (RdataType.CNAME, RdataType.ANY):
            own = find(zones, each[0].target, kind, client)
            scope = max(scope, dependence(zones, each[0].target, client))
            if own is not None:
                return _ours_after(so_far, records, own, scope)
    return Answer(told.rcode(), tuple(records), tuple(told.authority), scope, ours=so_far.ours)


def _ours_after(so_far: Answer, records: list[RRset], own: Answer, scope: int) -> Answer:
    return own._replace(records=(*records, *own.records), scope=max(scope, own.scope), ours=so_far.ours)
