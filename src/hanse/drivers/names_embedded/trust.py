"""What is believed of another server's answer: what answers the question, and nothing beside it (RFC 5452, 6)."""

from __future__ import annotations

import dns.message
from dns.message import Message, QueryMessage
from dns.name import Name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rrset import RRset

from hanse.drivers.names_embedded.answers import MOST_ALIASES


def believed(query: QueryMessage, answer: Message) -> Message:
    """The answer with only the chain of canonical names that begins at the question, what stands at its end, and the
    SOA of a zone that the end is in; names as the question was before its case was changed are the caller's matter."""
    asked = query.question[0]
    kept = dns.message.make_response(query)
    kept.set_rcode(answer.rcode())
    here, records = _followed(asked.name, asked.rdtype, answer.answer)
    kept.answer.extend(records)
    kept.authority.extend(
        each
        for each in answer.authority
        if each.rdtype is RdataType.SOA and each.rdclass is RdataClass.IN and here.is_subdomain(each.name)
    )
    return kept


def _followed(name: Name, kind: RdataType, records: list[RRset]) -> tuple[Name, list[RRset]]:
    """The name at the end of the chain, and the record sets along it."""
    found: list[RRset] = []
    for _ in range(MOST_ALIASES + 1):
        here = [r for r in records if r.name == name and r.rdclass is RdataClass.IN]
        direct = [r for r in here if kind in (r.rdtype, RdataType.ANY)]
        if direct:
            return name, found + direct
        alias = next((r for r in here if r.rdtype is RdataType.CNAME), None)
        if alias is None or alias in found:
            break
        found.append(alias)
        name = alias[0].target
    return name, found
