"""A forged or meddling answer of another server leads no device astray, and what is remembered is let go in time."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable

import dns.flags
import dns.message
import dns.name
import dns.rrset
import pytest
from dns.message import Message, QueryMessage
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from hanse.drivers.names_embedded import EmbeddedNames, asking, forwarding
from hanse.drivers.names_embedded.asking import matching, question
from hanse.drivers.names_embedded.forwarding import Forwarder
from hanse.drivers.names_embedded.memory import Memory, lifetime
from hanse.drivers.names_embedded.streams import StreamService
from hanse.drivers.names_embedded.trust import believed
from hanse.kit.ports import bind
from hanse.refpoints.mp2 import NameRecord

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
UPSTREAM, FORGER = f"{_BLOCK}.56", f"{_BLOCK}.58"
NAME = dns.name.from_text("www.far.example")


def answer(query: QueryMessage, *records: str, code: Rcode = Rcode.NOERROR, authority: str = "") -> Message:
    found = dns.message.make_response(query)
    found.set_rcode(code)
    for text in records:
        owner, ttl, kind, *rest = text.split(" ")
        found.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, " ".join(rest)))
    if authority:
        owner, ttl, kind, *rest = authority.split(" ")
        found.authority.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, " ".join(rest)))
    return found


def plain() -> QueryMessage:
    return dns.message.make_query(NAME, "A")


def texts(message: Message) -> list[str]:
    return [rdata.to_text() for rrset in message.answer for rdata in rrset]


def test_each_question_has_an_identifier_and_a_spelling_of_its_own() -> None:
    questions = [question(NAME, RdataType.A) for _ in range(200)]
    assert len({q.id for q in questions}) > 190
    assert len({q.question[0].name.labels for q in questions}) > 150


@pytest.mark.parametrize("forgery", ["id", "spelling", "type", "question", "query"])
def test_an_answer_to_something_else_than_was_asked_is_no_answer(forgery: str) -> None:
    query = question(NAME, RdataType.A)
    forged = answer(query, "www.far.example. 60 A 127.6.6.6")
    assert matching(query, forged.to_wire()) is not None
    if forgery == "id":
        forged.id ^= 1
    elif forgery == "query":
        forged.flags &= ~dns.flags.QR
    else:
        name, kind = query.question[0].name, "A"
        if forgery == "spelling":
            name = dns.name.from_text(name.to_text().swapcase())
        elif forgery == "question":
            name = dns.name.from_text("www.near.example.")
        else:
            kind = "AAAA"
        forged.question[:] = [dns.rrset.from_text(name, 0, "IN", kind)]
    assert matching(query, forged.to_wire()) is None


def test_records_beside_the_question_are_not_believed() -> None:
    told = answer(
        plain(),
        "www.bank.example. 60 A 127.6.6.6",
        "www.far.example. 60 CNAME edge.far.example.",
        "edge.far.example. 60 A 127.3.0.1",
        "far.example. 60 A 127.6.6.6",
    )
    told.additional.append(dns.rrset.from_text("ns.bank.example.", 60, "IN", "A", "127.6.6.6"))
    told.authority.append(dns.rrset.from_text("bank.example.", 60, "IN", "NS", "ns.bank.example."))
    kept = believed(plain(), told)
    assert texts(kept) == ["edge.far.example.", "127.3.0.1"]
    assert (kept.authority, kept.additional) == ([], [])


def test_a_chain_of_names_without_end_ends() -> None:
    told = answer(plain(), "www.far.example. 60 CNAME b.example.", "b.example. 60 CNAME www.far.example.")
    assert len(believed(plain(), told).answer) == 2


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (answer(plain(), "www.far.example. 60 A 127.3.0.1"), 60),
        (answer(plain(), "www.far.example. 9 CNAME b.example.", "b.example. 60 A 127.3.0.1"), 9),
        (answer(plain(), "www.far.example. 999999 A 127.3.0.1"), 86400),
        (answer(plain(), "www.far.example. 0 A 127.3.0.1"), 0),
        (answer(plain(), code=Rcode.NXDOMAIN, authority="far.example. 90 SOA a. b. 1 2 3 4 20"), 20),
        (answer(plain(), authority="far.example. 9000 SOA a. b. 1 2 3 4 5000"), 300),
        (answer(plain(), code=Rcode.NXDOMAIN), 0),
        (answer(plain(), code=Rcode.SERVFAIL), 1),
    ],
    ids=["plain", "shortest", "too long", "none", "negative", "long negative", "no SOA", "failure"],
)
def test_an_answer_is_remembered_for_as_long_as_it_allows(told: Message, seconds: int) -> None:
    assert lifetime(told) == seconds


def test_what_is_remembered_ages_and_is_forgotten() -> None:
    now = [0.0]
    memory = Memory(lambda: now[0], most=2)
    memory.keep(NAME, RdataType.A, answer(plain(), "www.far.example. 60 A 127.3.0.1"))
    now[0] = 45.0
    found = memory.recall(dns.name.from_text("WWW.far.example"), RdataType.A)
    assert found
    assert found.answer[0].ttl == 15
    assert memory.recall(NAME, RdataType.AAAA) is None
    now[0] = 60.0
    assert memory.recall(NAME, RdataType.A) is None


def test_only_so_many_answers_are_remembered_and_the_least_used_goes_first() -> None:
    memory = Memory(lambda: 0.0, most=2)
    for label in ("a", "b"):
        memory.keep(dns.name.from_text(label), RdataType.A, answer(plain(), f"{label}. 60 A 127.3.0.1"))
    memory.recall(dns.name.from_text("a"), RdataType.A)
    memory.keep(dns.name.from_text("c"), RdataType.A, answer(plain(), "c. 60 A 127.3.0.1"))
    assert [memory.recall(dns.name.from_text(n), RdataType.A) is not None for n in "abc"] == [True, False, True]


class Upstream:
    """Another server on a real socket, which does with each query what a test wants."""

    def __init__(self) -> None:
        self.socket = bind(UPSTREAM, 0, socket.SOCK_DGRAM)
        self.address = UPSTREAM, self.socket.getsockname()[1]
        self.senders: list[tuple[str, int]] = []
        self.reply: Callable[[QueryMessage], list[bytes]] = lambda query: []

    def serve(self) -> None:
        wire, sender = self.socket.recvfrom(4096)
        self.senders.append(sender)
        query = dns.message.from_wire(wire)
        assert isinstance(query, QueryMessage)
        for each in self.reply(query):
            self.socket.sendto(each, sender)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    asyncio.get_running_loop().add_reader(server.socket, server.serve)
    yield server
    asyncio.get_running_loop().remove_reader(server.socket)
    server.socket.close()


async def test_a_forger_who_answers_first_is_passed_over(upstream: Upstream) -> None:
    def first_forged(query: QueryMessage) -> list[bytes]:
        forged = answer(query, "www.far.example. 60 A 127.6.6.6")
        forged.id ^= 1
        return [b"garbage", forged.to_wire(), answer(query, f"{query.question[0].name} 60 A 127.3.0.1").to_wire()]

    upstream.reply = first_forged
    assert texts(await Forwarder([upstream.address]).ask(NAME, RdataType.A)) == ["127.3.0.1"]


async def test_a_right_answer_from_another_address_is_not_even_looked_at(upstream: Upstream) -> None:
    def from_elsewhere(query: QueryMessage) -> list[bytes]:
        name = query.question[0].name
        with bind(FORGER, 0, socket.SOCK_DGRAM) as forger:
            forger.sendto(answer(query, f"{name} 60 A 127.6.6.6").to_wire(), upstream.senders[-1])
        return [answer(query, f"{name} 60 A 127.3.0.1").to_wire()]

    upstream.reply = from_elsewhere
    assert texts(await Forwarder([upstream.address]).ask(NAME, RdataType.A)) == ["127.3.0.1"]


async def test_where_somebody_guesses_the_question_is_asked_by_tcp_at_once(upstream: Upstream) -> None:
    def guessed(query: QueryMessage) -> list[bytes]:
        forged = answer(query, "www.far.example. 60 A 127.6.6.6")
        forged.id ^= 1
        return [forged.to_wire()] * asking.MOST_FORGED

    upstream.reply = guessed
    real = EmbeddedNames("127.0.0.1", 0, zones=("far.example",))
    real.put(NameRecord(record_id="r", owner="a", name="www.far.example", address="127.3.0.1"))
    async with await asyncio.start_server(StreamService(real.reply).serve, *upstream.address):
        assert texts(await Forwarder([upstream.address]).ask(NAME, RdataType.A)) == ["127.3.0.1"]
    assert len(upstream.senders) == 1


async def test_a_hundred_devices_that_ask_the_same_cost_one_question_and_each_question_has_its_port(
    upstream: Upstream,
) -> None:
    upstream.reply = lambda query: [answer(query, f"{query.question[0].name} 60 A 127.3.0.1").to_wire()]
    forwarder = Forwarder([upstream.address])
    found = await asyncio.gather(*(forwarder.ask(NAME, RdataType.A) for _ in range(100)))
    assert {tuple(texts(each)) for each in found} == {("127.3.0.1",)}
    assert len(upstream.senders) == 1
    for number in range(10):
        await forwarder.ask(dns.name.from_text(f"w{number}.far.example"), RdataType.A)
    assert len({port for _, port in upstream.senders}) > 8


async def test_a_lost_question_is_asked_again_and_silence_is_given_up(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "PATIENCE", 0.4)
    assert (await Forwarder([upstream.address]).ask(NAME, RdataType.A)).rcode() == Rcode.SERVFAIL
    assert len(upstream.senders) == 2


async def test_an_alias_to_a_name_of_others_is_answered_whole_and_remembered(upstream: Upstream) -> None:
    upstream.reply = lambda query: [answer(query, f"{query.question[0].name} 60 A 127.3.0.1").to_wire()]
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",), forward=[upstream.address])
    names.put(NameRecord(record_id="r", owner="a", name="v.mec.example", canonical="www.far.example"))
    for _ in range(2):
        later = names.reply(dns.message.make_query("v.mec.example", "A").to_wire(), "127.9.0.1", True)
        assert later is not None
        wire = later if isinstance(later, bytes) else await later
        assert texts(dns.message.from_wire(wire)) == ["www.far.example.", "127.3.0.1"]
    assert len(upstream.senders) == 1


async def test_one_who_wants_no_recursion_is_not_told_what_others_asked(upstream: Upstream) -> None:
    names = EmbeddedNames("127.0.0.1", 0, forward=[upstream.address])
    query = dns.message.make_query(NAME, "A", flags=0)
    reply = names.reply(query.to_wire(), "127.9.0.1", True)
    assert isinstance(reply, bytes)
    assert dns.message.from_wire(reply).rcode() == Rcode.REFUSED
    assert upstream.senders == []
