"""Answers of another server, remembered for their time to live (RFC 2308: also "no such name"), bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import dns.message
import dns.rrset
from dns.message import Message
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from dns.rrset import RRset

MOST_ANSWERS = 10_000
LONGEST = 86_400
LONGEST_NEGATIVE = 300
FAILURE = 1
"""Bounds: answers; seconds for one that is good, for a "no such name", and for a failure (RFC 9520, 3.2)."""


_OF_ANY_TYPE = RdataType.NONE


class _Kept(NamedTuple):
    since: float
    until: float
    answer: Message


class Memory:
    """The most recently used answers by name and type; ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float], most: int = MOST_ANSWERS) -> None:
        self._clock, self._most = clock, most
        self._kept: OrderedDict[tuple[Name, RdataType], _Kept] = OrderedDict()

    def keep(self, name: Name, kind: RdataType, answer: Message) -> None:
        """Remember an answer as long as it allows."""
        now, seconds = self._clock(), lifetime(answer)
        if seconds <= 0:
            return
        name = name.canonicalize()
        missing = answer.rcode() == Rcode.NXDOMAIN and not answer.answer
        if not missing:
            self._kept.pop((name, _OF_ANY_TYPE), None)
        self._kept[name, _OF_ANY_TYPE if missing else kind] = _Kept(now, now + seconds, answer)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def recall(self, name: Name, kind: RdataType) -> Message | None:
        """An answer that is still good; its times to live are what is left of them.

        A name that does not exist has no record of any type (RFC 2308, 5).
        """
        name = name.canonicalize()
        return self._recall((name, kind)) or self._recall((name, _OF_ANY_TYPE))

    def _recall(self, key: tuple[Name, RdataType]) -> Message | None:
        found = self._kept.get(key)
        if found is None:
            return None
        now = self._clock()
        if now >= found.until:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return _aged(found.answer, int(now - found.since))


def lifetime(answer: Message) -> int:
    """Seconds for which an answer may be remembered."""
    if answer.rcode() not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return FAILURE
    shortest = min((r.ttl for r in answer.answer), default=LONGEST)
    positive = answer.rcode() == Rcode.NOERROR and any(r.rdtype is not RdataType.CNAME for r in answer.answer)
    if positive:
        return min(shortest, LONGEST)
    soa = next((r for r in answer.authority if r.rdtype is RdataType.SOA), None)
    if soa is None:
        return 0  # nothing says how long (RFC 2308, 5)
    return min(shortest, soa.ttl, int(soa[0].minimum), LONGEST_NEGATIVE)


def bounded(answer: Message) -> Message:
    """The same answer, but nobody hears that it may be remembered longer than here (RFC 2308, 5; RFC 8767, 4)."""
    for each in answer.answer:
        each.ttl = min(each.ttl, LONGEST)
    for each in answer.authority:
        if each.rdtype is RdataType.SOA:
            each.ttl = min(each.ttl, int(each[0].minimum), LONGEST_NEGATIVE)
    return answer


def _aged(answer: Message, seconds: int) -> Message:
    aged = dns.message.Message(answer.id)
    aged.set_rcode(answer.rcode())
    aged.answer.extend(_older(each, seconds) for each in answer.answer)
    aged.authority.extend(_older(each, seconds) for each in answer.authority)
    return aged


def _older(records: RRset, seconds: int) -> RRset:
    return dns.rrset.from_rdata_list(records.name, max(records.ttl - seconds, 0), list(records))
