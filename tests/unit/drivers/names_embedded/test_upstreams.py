"""Names of others are found although a server fails, is old or slow; the failure of all is told as a failure."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable

import dns.edns
import dns.flags
import dns.message
import dns.name
import pytest
from dns.message import QueryMessage
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from benchmarks.dns_queries import opt
from hanse.drivers.names_embedded import EmbeddedNames, driver, forwarding, memory
from hanse.drivers.names_embedded.forwarding import Forwarder
from hanse.drivers.names_embedded.streams import StreamService
from hanse.kit.ports import bind
from hanse.refpoints.mp2 import NameRecord
from tests.bounds import SOON
from tests.passing import Passing
from tests.unit.drivers.names_embedded.upstream import Upstream, answer, ask, near, texts, told

DEAD = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}.59"
NAME = dns.name.from_text("www.far.example")


def error(code: Rcode, question: bool = True) -> Callable[[QueryMessage], list[bytes]]:
    def reply(query: QueryMessage) -> list[bytes]:
        found = answer(query, code=code)
        found.use_edns(-1)
        if not question:
            found.question.clear()
        return [found.to_wire()]

    return reply


async def test_where_the_first_server_is_silent_the_next_answers_and_is_asked_first_from_then_on(
    upstream: Upstream,
) -> None:
    passing, loop = Passing(), asyncio.get_running_loop()
    upstream.reply = told
    with bind(DEAD, 0, socket.SOCK_DGRAM) as silent:
        forwarder = Forwarder([silent.getsockname(), upstream.address])
        asking = asyncio.create_task(forwarder.ask(NAME, RdataType.A))
        await asyncio.wait_for(loop.sock_recv(silent, 512), SOON)
        await passing.advance(forwarding.PATIENCE / 2)
        assert texts(await asking) == ["127.3.0.1"]
        assert texts(await forwarder.ask(dns.name.from_text("w2.far.example"), RdataType.A)) == ["127.3.0.1"]
        with pytest.raises(BlockingIOError):
            silent.recv(512)


@pytest.mark.parametrize("code", [Rcode.SERVFAIL, Rcode.REFUSED, Rcode.FORMERR, Rcode.NOTIMP, Rcode.YXDOMAIN])
async def test_the_failure_of_others_is_a_failure_and_never_a_complaint_about_the_question(
    upstream: Upstream, code: Rcode
) -> None:
    upstream.reply = error(code)
    reply = await ask(near(upstream.address), dns.message.make_query(NAME, "A"))
    assert (reply.rcode(), reply.edns, reply.answer) == (Rcode.SERVFAIL, -1, [])


async def test_nobody_waits_again_at_once_for_a_server_that_was_just_silent(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "PATIENCE", 0.2)
    monkeypatch.setattr(memory, "FAILURE", 60)
    names = near(upstream.address)
    replies = [await ask(names, dns.message.make_query(NAME, "A")) for _ in range(5)]
    assert {reply.rcode() for reply in replies} == {Rcode.SERVFAIL}
    assert len(upstream.queries) == 2


async def test_a_device_that_asks_for_many_names_at_once_leaves_others_room(upstream: Upstream) -> None:
    names = near(upstream.address)
    flood = [asyncio.create_task(ask(names, dns.message.make_query(f"x{n}.far.example", "A"))) for n in range(300)]
    async with asyncio.timeout(SOON):
        while sum(each.done() for each in flood) < 300 - driver.MOST_OF_A_CLIENT:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    done, waiting = await asyncio.wait(flood, timeout=0.1)
    assert (len(done), {each.result().rcode() for each in done}) == (300 - driver.MOST_OF_A_CLIENT, {Rcode.SERVFAIL})
    upstream.reply = told
    assert texts(await ask(names, dns.message.make_query(NAME, "A"), "127.9.0.2")) == ["127.3.0.1"]
    for query, sender in zip(upstream.queries, upstream.senders, strict=True):
        [wire] = told(query)
        upstream.socket.sendto(wire, sender)  # those that waited get theirs now
    await asyncio.wait(waiting)
    assert texts(await ask(names, dns.message.make_query("y.far.example", "A"))) == ["127.3.0.1"]


STRANGE_OPTION = opt(b"\0\x08\0\x04\0\x63\0\0")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"\0",
        b"\0\x40half",
        b"\0\x03abc",
        b"\0\x0c" + bytes(12),
        b"\0\x17\0\0\x84\0\0\1\0\0\0\0\0\1" + STRANGE_OPTION,
    ],
    ids=["nothing", "half a length", "half a message", "garbage", "a query", "an option that nobody knows"],
)
async def test_a_server_that_talks_nonsense_is_a_failure_in_time(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, nonsense: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(nonsense)
        await reader.read(100)
        writer.close()

    monkeypatch.setattr(forwarding, "PATIENCE", 0.6)
    upstream.reply = lambda query: [b"garbage", *[answer(query, code=Rcode.NOERROR).to_wire()[:-1]] * 20]
    async with await asyncio.start_server(talk, *upstream.address):
        began = time.monotonic()
        reply = await ask(near(upstream.address), dns.message.make_query(NAME, "A"))
        assert (reply.rcode(), reply.answer) == (Rcode.SERVFAIL, [])
        assert time.monotonic() - began < SOON


@pytest.mark.parametrize("question", [True, False])
@pytest.mark.parametrize("code", [Rcode.FORMERR, Rcode.NOTIMP])
async def test_a_server_that_knows_no_edns_is_asked_without(upstream: Upstream, code: Rcode, question: bool) -> None:
    old = error(code, question)
    upstream.reply = lambda query: told(query) if query.edns < 0 else old(query)
    assert texts(await Forwarder([upstream.address]).ask(NAME, RdataType.A)) == ["127.3.0.1"]


async def test_a_server_that_changes_the_case_of_letters_is_believed_by_tcp(upstream: Upstream) -> None:
    def lower(query: QueryMessage) -> list[bytes]:
        found = answer(query, "www.far.example. 60 A 127.6.6.6")
        found.question[0].name = found.question[0].name.canonicalize()
        return [found.to_wire()]

    upstream.reply = lower
    real = EmbeddedNames("127.0.0.1", 0, zones=("far.example",))
    real.put(NameRecord(record_id="r", owner="a", name="www.far.example", address="127.3.0.1"))
    async with await asyncio.start_server(StreamService(real.reply).serve, *upstream.address):
        assert texts(await Forwarder([upstream.address]).ask(NAME, RdataType.A)) == ["127.3.0.1"]
    assert len(upstream.queries) == 1


async def test_a_lost_question_is_asked_again_and_silence_is_given_up(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "PATIENCE", 0.4)
    assert (await Forwarder([upstream.address]).ask(NAME, RdataType.A)).rcode() == Rcode.SERVFAIL
    assert len(upstream.senders) == 2
