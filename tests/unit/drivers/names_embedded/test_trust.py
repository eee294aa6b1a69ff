"""A forged or meddling answer of another server leads no device astray, and what is remembered is let go in time."""

from __future__ import annotations

import asyncio
import os
import socket

import dns.flags
import dns.message
import dns.name
import dns.rrset
import pytest
from dns.message import Message, QueryMessage
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from hanse.drivers.names_embedded import EmbeddedNames, asking
from hanse.drivers.names_embedded.asking import matching, question
from hanse.drivers.names_embedded.forwarding import Forwarder
from hanse.drivers.names_embedded.memory import Memory, lifetime
from hanse.drivers.names_embedded.streams import StreamService
from hanse.drivers.names_embedded.trust import believed
from hanse.kit.ports import bind
from hanse.refpoints.mp2 import NameRecord
from tests.unit.drivers.names_embedded.upstream import Upstream, answer, texts

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
FORGER = f"{_BLOCK}.58"
NAME = dns.name.from_text("www.far.example")


def plain() -> QueryMessage:
    return dns.message.make_query(NAME, "A")


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


@pytest.mark.parametrize(
    ("zone", "kept"),
    [("far.example.", 1), ("www.far.example.", 1), ("example.", 1), ("bank.example.", 0), ("x.www.far.example.", 0)],
)
def test_only_a_zone_in_which_the_name_is_says_how_long_it_is_missing(zone: str, kept: int) -> None:
    told = answer(plain(), code=Rcode.NXDOMAIN, authority=f"{zone} 90 SOA a. b. 1 2 3 4 20")
    assert len(believed(plain(), told).authority) == kept


def test_at_the_end_of_a_chain_the_zone_of_that_end_counts() -> None:
    alias = "www.far.example. 60 CNAME edge.bank.example."
    for zone, kept in (("bank.example.", 1), ("far.example.", 0)):
        told = answer(plain(), alias, authority=f"{zone} 90 SOA a. b. 1 2 3 4 20")
        assert len(believed(plain(), told).authority) == kept


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


def test_a_name_that_does_not_exist_is_missing_for_every_type_until_it_appears() -> None:
    memory = Memory(lambda: 0.0)
    missing = answer(plain(), code=Rcode.NXDOMAIN, authority="far.example. 90 SOA a. b. 1 2 3 4 20")
    memory.keep(NAME, RdataType.A, missing)
    found = memory.recall(NAME, RdataType.AAAA)
    assert found
    assert (found.rcode(), found.authority[0].ttl) == (Rcode.NXDOMAIN, 90)
    memory.keep(NAME, RdataType.A, answer(plain(), "www.far.example. 60 A 127.3.0.1"))
    assert memory.recall(NAME, RdataType.AAAA) is None


def test_only_so_many_answers_are_remembered_and_the_least_used_goes_first() -> None:
    memory = Memory(lambda: 0.0, most=2)
    for label in ("a", "b"):
        memory.keep(dns.name.from_text(label), RdataType.A, answer(plain(), f"{label}. 60 A 127.3.0.1"))
    memory.recall(dns.name.from_text("a"), RdataType.A)
    memory.keep(dns.name.from_text("c"), RdataType.A, answer(plain(), "c. 60 A 127.3.0.1"))
    assert [memory.recall(dns.name.from_text(n), RdataType.A) is not None for n in "abc"] == [True, False, True]


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
