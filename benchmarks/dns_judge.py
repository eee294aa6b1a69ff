"""The judge of the name server: works the answer out by dnspython and by trying every record, and compares.

``python -m benchmarks.dns_judge 1000000`` judges a million queries.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rrset
from dns.message import Message, QueryMessage
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from dns.rrset import RRset

from benchmarks import dns_queries
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.refpoints.mp2 import NameRecord

Network = IPv4Network | IPv6Network
_LONGEST = 1232
Section = set[tuple[str, int, int, frozenset[str]]]


class Judge:
    """Knows the records, and judges answers to the queries of devices by UDP."""

    def __init__(self, records: list[NameRecord]) -> None:
        self._zone = dns.name.from_text(dns_queries.ZONE)
        self._serial = 1 + len(records)
        self._at: dict[Name, list[NameRecord]] = defaultdict(list)
        self._names: set[Name] = {self._zone}
        for record in records:
            name = dns.name.from_text(record.name)
            self._at[name].append(record)
            while name.is_subdomain(self._zone):
                self._names.add(name)
                name = name.parent()

    def complaint(self, wire: bytes, address: str, answer: bytes | None) -> str | None:
        """What is wrong with an answer; ``None`` if nothing is."""
        query = _read(wire)
        if query is None:
            silent = len(wire) < 12 or bool(wire[2] & 0x80)
            if silent or answer is None:
                return None if silent and answer is None else f"{answer!r} to what cannot be read"
            right = len(answer) == 12 and answer[:2] == wire[:2] and answer[3] & 0xF in (1, 4) and answer[2] & 0x80
            return None if right else f"{answer.hex()} is no error"
        if answer is None:
            return "no answer"
        told = dns.message.from_wire(answer)
        if len(answer) > _limit(query):
            return f"{len(answer)} bytes are too many"
        right_one = self._right(query, address)
        if told.flags & dns.flags.TC:
            whole = right_one.to_wire(max_size=65535)
            return None if len(whole) > _limit(query) - 16 else "cut without need"
        return _difference(told, right_one)

    def _right(self, query: QueryMessage, address: str) -> Message:
        right = dns.message.make_response(query, our_payload=_LONGEST)
        subnet = next((o for o in query.options if isinstance(o, dns.edns.ECSOption)), None)
        if query.edns >= 0:
            right.use_edns(0, query.ednsflags & dns.flags.DO, _LONGEST, options=[subnet] if subnet else [])
        asked = query.question[0]
        if query.edns > 0:
            right.set_rcode(Rcode.BADVERS)
        elif asked.rdclass != 1 or asked.rdtype in (251, 252):
            right.set_rcode(Rcode.REFUSED)
        else:
            who = f"{subnet.address}/{subnet.srclen}" if subnet and subnet.srclen else address
            self._fill(right, asked.name, asked.rdtype, _network(who))
        return right

    def _fill(self, right: Message, name: Name, kind: int, client: Network) -> None:
        for hop in range(9):
            lent = not name.is_subdomain(self._zone)
            chosen = _chosen(self._at.get(name, []), client)
            if lent and not chosen:
                right.set_rcode(right.rcode() if hop else Rcode.REFUSED)
                right.flags |= dns.flags.AA if hop else 0
                return
            right.flags |= dns.flags.AA
            if kind == 6 and (lent or name == self._zone):
                right.answer.append(self._soa(name))
                return
            alias = next((r.canonical for r in chosen if isinstance(r.canonical, str)), None)
            if alias is None or any(isinstance(r.address, str) for r in chosen):
                self._end(right, name, kind, chosen, self._zone if not lent else name)
                return
            text = dns.name.from_text(alias).to_text()
            right.answer.append(dns.rrset.from_text(name, min(r.ttl for r in chosen), "IN", "CNAME", text))
            if kind in (5, 255):
                return
            name = dns.name.from_text(alias)

    def _end(self, right: Message, name: Name, kind: int, chosen: list[NameRecord], apex: Name) -> None:
        for each in (1, 28):
            texts = [r.address for r in chosen if isinstance(r.address, str) and (":" in r.address) == (each == 28)]
            if texts and kind in (each, 255):
                right.answer.append(
                    dns.rrset.from_text_list(name, min(r.ttl for r in chosen), "IN", RdataType.make(each), texts)
                )
                return
        exists = apex != self._zone or name in self._names
        right.set_rcode(Rcode.NOERROR if exists else Rcode.NXDOMAIN)
        right.authority.append(self._soa(apex))

    def _soa(self, apex: Name) -> RRset:
        return dns.rrset.from_text(apex, 5, "IN", "SOA", f"{apex} {apex} {self._serial} 3600 600 86400 5")


def _chosen(records: list[NameRecord], client: Network) -> list[NameRecord]:
    ranked: dict[tuple[int, int], list[NameRecord]] = defaultdict(list)
    for record in records:
        if not record.clients:
            ranked[record.order, 1].append(record)
        for text in dict.fromkeys(record.clients):
            network = _network(text)
            if network.version == client.version and client.subnet_of(network):  # type: ignore[arg-type]
                ranked[record.order, -network.prefixlen].append(record)
    return sorted(ranked[min(ranked)], key=lambda r: r.record_id) if ranked else []


@lru_cache(maxsize=4096)
def _network(text: str) -> Network:
    return ip_network(text)


def _read(wire: bytes) -> QueryMessage | None:
    try:
        message = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None
    if message.flags & dns.flags.QR or message.opcode() != 0 or len(message.question) != 1:
        return None
    if wire[4:6] != b"\x00\x01" or not isinstance(message, QueryMessage):
        return None
    subnets = [o for o in message.options if isinstance(o, dns.edns.ECSOption)]
    written = [o.to_wire() or b"" for o in subnets]
    strange = any(len(w).to_bytes(2) + w not in wire for w in written) or any(o.scopelen for o in subnets)
    return None if strange or len(subnets) > 1 else message


def _limit(query: QueryMessage) -> int:
    return 512 if query.edns < 0 else max(512, min(query.payload, _LONGEST))


def _difference(told: Message, right: Message) -> str | None:
    pairs = {
        "id": (told.id, right.id),
        "flags": (told.flags, right.flags),
        "code": (told.rcode(), right.rcode()),
        "question": (told.question[0].to_text(), right.question[0].to_text()),
        "answer": (_section(told.answer), _section(right.answer)),
        "authority": (_section(told.authority), _section(right.authority)),
        "EDNS": (_edns(told), _edns(right)),
    }
    return "; ".join(f"{what} is {one}, not {two}" for what, (one, two) in pairs.items() if one != two) or None


def _section(records: list[RRset]) -> Section:
    return {
        (r.name.canonicalize().to_text(), r.rdtype, r.ttl, frozenset(d.to_text().lower() for d in r)) for r in records
    }


def _edns(message: Message) -> tuple[object, ...]:
    """Without the scope, which has a test of its own."""
    subnets = [(o.address, o.srclen) for o in message.options if isinstance(o, dns.edns.ECSOption)]
    return message.edns, message.payload, message.ednsflags, len(message.options), subnets


def judge(count: int, seed: int = 1) -> tuple[int, int]:
    """Judge that many answers of the real server; how many there were, and how many by the short way.

    Raises ``AssertionError`` with the query at the first that is wrong.
    """
    chance = random.Random(seed)
    records = dns_queries.records(chance)
    names = EmbeddedNames("127.0.0.1", 0, zones=(dns_queries.ZONE,))
    for record in records:
        names.put(record)
    judge = Judge(records)
    short = 0
    for number in range(count):
        wire, address = dns_queries.query(chance), dns_queries.device(chance)
        short += names.fast.answer(wire, address) is not None
        answer = names.reply(wire, address, True)
        assert answer is None or isinstance(answer, bytes)
        wrong = judge.complaint(wire, address, answer)
        assert wrong is None, f"query {number}, {wire.hex()} of {address}: {wrong}"
    return count, short


if __name__ == "__main__":
    print("judged {}, by the short way {}".format(*judge(int(sys.argv[1]))))
