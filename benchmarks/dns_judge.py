"""The judge of the name server: works the answer out by dnspython and by trying every record, and compares.

``python -m benchmarks.dns_judge 1000000`` judges a million queries.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rrset
from dns.message import Message
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rrset import RRset

from benchmarks import dns_queries
from benchmarks.dns_reading import Query, read
from benchmarks.report import Tell
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.refpoints.mp2 import NameRecord

Network = IPv4Network | IPv6Network
_LONGEST = 1232
_PART = 50_000
"""Queries that one process judges at a time."""
Section = set[tuple[str, int, int, frozenset[str]]]


class Judge:
    """Knows the records, and judges answers to the queries of devices by UDP."""

    def __init__(self, records: list[NameRecord]) -> None:
        self._zone = dns.name.from_text(dns_queries.ZONE)
        self._serial = 1 + len(records)
        self._at: dict[Name, list[NameRecord]] = defaultdict(list)
        self._names: set[Name] = {self._zone}
        server = NameRecord(record_id="ns", owner="", name=f"ns.{dns_queries.ZONE}", address="127.0.0.1", ttl=300)
        for record in [*records, server]:
            name = dns.name.from_text(record.name)
            self._at[name].append(record)
            while name.is_subdomain(self._zone):
                self._names.add(name)
                name = name.parent()

    def complaint(self, wire: bytes, address: str, answer: bytes | None) -> str | None:
        """What is wrong with an answer; ``None`` if nothing is."""
        if len(wire) < 12 or wire[2] & 0x80:
            return None if answer is None else f"{answer.hex()} to what deserves no answer"
        if answer is None:
            return "no answer"
        query = read(wire)
        told = dns.message.from_wire(answer)
        if query.error is not None:
            return _wrong_error(wire, query, answer, told)
        if len(answer) > _limit(query):
            return f"{len(answer)} bytes are too many"
        right_one = self._right(query, address)
        if told.flags & dns.flags.TC:
            whole = right_one.to_wire(max_size=65535)
            return None if len(whole) > _limit(query) - 16 else "cut without need"
        return _difference(told, right_one)

    def _right(self, query: Query, address: str) -> Message:
        asked = dns.message.QueryMessage(id=query.identifier)
        asked.flags = dns.flags.Flag(query.flags & dns.flags.RD)
        asked.question.append(dns.rrset.RRset(query.name, RdataClass.IN, RdataType.make(query.kind)))
        right = dns.message.make_response(asked)
        if query.opt is not None:
            repeated = (
                [dns.edns.GenericOption(dns.edns.OptionType.ECS, query.opt.subnet)]
                if query.opt.subnet is not None
                else []
            )
            right.use_edns(0, query.opt.flags & dns.flags.DO, _LONGEST, options=list[dns.edns.Option](repeated))
        self._fill(right, query.name, query.kind, _network(query.client or address))
        return right

    def _fill(self, right: Message, name: Name, kind: int, client: Network) -> None:
        seen: set[Name] = set()
        while len(seen) < 9 and name not in seen:
            seen.add(name)
            apex = self._zone if name.is_subdomain(self._zone) else name
            chosen = _chosen(self._at.get(name, []), client)
            if apex != self._zone and not chosen:
                right.set_rcode(Rcode.NOERROR if len(seen) > 1 else Rcode.REFUSED)
                return
            right.flags |= dns.flags.AA
            if name == apex and self._fill_apex(right, apex, kind, bool(chosen)):
                return
            alias = next((r.canonical for r in chosen if isinstance(r.canonical, str)), None)
            if alias is None or any(isinstance(r.address, str) for r in chosen):
                self._end(right, name, kind, chosen, apex)
                return
            text = dns.name.from_text(alias).to_text()
            right.answer.append(dns.rrset.from_text(name, min(r.ttl for r in chosen), "IN", "CNAME", text))
            if kind in (5, 255):
                return
            name = dns.name.from_text(alias)

    def _fill_apex(self, right: Message, apex: Name, kind: int, chosen: bool) -> bool:
        """Whether the question is for what a zone says of itself."""
        if kind == 6 or (kind == 255 and not chosen):
            right.answer.append(self._soa(apex))
            return True
        if kind != 2 or apex != self._zone:
            return False
        right.answer.append(dns.rrset.from_text(apex, 300, "IN", "NS", f"ns.{apex}"))
        right.additional.append(dns.rrset.from_text(f"ns.{apex}", 300, "IN", "A", "127.0.0.1"))
        return True

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
        who = f"ns.{apex} hostmaster.{apex}" if apex == self._zone else f"{apex} {apex}"
        return dns.rrset.from_text(apex, 5, "IN", "SOA", f"{who} {self._serial} 3600 600 86400 5")


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


def _limit(query: Query) -> int:
    return 512 if query.opt is None else max(512, min(query.opt.payload, _LONGEST))


def _wrong_error(wire: bytes, query: Query, answer: bytes, told: Message) -> str | None:
    """An error tells its code, repeats what there was of EDNS, and is no longer than the query."""
    pairs = {
        "code": (told.rcode(), query.error),
        "id": (answer[:2], wire[:2]),
        "opcode and flags": (answer[2] & 0xFB, 0x80 | wire[2] & 0x79),
        "records": (len(told.answer) + len(told.authority) + len(told.additional), 0),
        "too long": (len(answer) > len(wire), False),
    }
    if query.framed:
        pairs["EDNS"] = (told.edns, -1 if query.opt is None else 0)
        pairs["DO"] = (told.ednsflags & 0xFFFF, query.opt.flags & 0x8000 if query.opt else 0)
    return "; ".join(f"{what} is {one!r}, not {two!r}" for what, (one, two) in pairs.items() if one != two) or None


def _difference(told: Message, right: Message) -> str | None:
    pairs = {
        "id": (told.id, right.id),
        "flags": (told.flags, right.flags),
        "code": (told.rcode(), right.rcode()),
        "question": (told.question[0].to_text(), right.question[0].to_text()),
        "answer": (_section(told.answer), _section(right.answer)),
        "authority": (_section(told.authority), _section(right.authority)),
        "additional": (_section(told.additional), _section(right.additional)),
        "EDNS": (_edns(told), _edns(right)),
    }
    return "; ".join(f"{what} is {one}, not {two}" for what, (one, two) in pairs.items() if one != two) or None


def _section(records: list[RRset]) -> Section:
    return {
        (r.name.canonicalize().to_text(), r.rdtype, r.ttl, frozenset(d.to_text().lower() for d in r)) for r in records
    }


def _edns(message: Message) -> tuple[object, ...]:
    """Without the scope, which has a test of its own."""
    octets = [(o.otype, o.to_wire() or b"") for o in message.options]
    return message.edns, message.payload, message.ednsflags, [(code, o[:3] + o[4:]) for code, o in octets]


def judge(count: int, seed: int = 1) -> tuple[int, int]:
    """Judge that many answers of the real server; how many there were, and how many by the short way.

    Raises ``AssertionError`` with the query at the first that is wrong.
    """
    chance = random.Random(seed)
    records = dns_queries.records(chance)
    names = EmbeddedNames("127.0.0.1", 0, zones=(dns_queries.ZONE,))
    for record in records:
        names.put(record)
    with _options_as_they_stand():
        return count, _judged(names, Judge(records), count, chance)


def judge_apart(count: int, tell: Tell) -> tuple[int, int]:
    """The same by all processors; each part of the queries has a seed, and so records, of its own."""
    parts = [min(_PART, count - begun) for begun in range(0, count, _PART)]
    done = short = 0
    with ProcessPoolExecutor() as processors:
        for part in as_completed(processors.submit(judge, size, seed) for seed, size in enumerate(parts, 1)):
            done, short = done + part.result()[0], short + part.result()[1]
            tell(f"the judge agrees with {done} of {count} answers, {short} of them by the short way")
    return done, short


def _judged(names: EmbeddedNames, judge: Judge, count: int, chance: random.Random) -> int:
    short = 0
    for number in range(count):
        wire, address = dns_queries.query(chance), dns_queries.device(chance)
        short += names.fast.answer(wire, address) is not None
        answer = names.reply(wire, address, True)
        assert answer is None or isinstance(answer, bytes)
        wrong = judge.complaint(wire, address, answer)
        assert wrong is None, f"query {number}, {wire.hex()} of {address}: {wrong}"
    return short


@contextmanager
def _options_as_they_stand() -> Iterator[None]:
    """Let dnspython read no option: the judge compares bytes, also of those that are wrong."""
    known = dict(dns.edns._type_to_class)
    for code in known:
        dns.edns.register_type(dns.edns.GenericOption, code)
    try:
        yield
    finally:
        for code, reader in known.items():
            dns.edns.register_type(reader, code)


if __name__ == "__main__":
    judge_apart(int(sys.argv[1]), print)
