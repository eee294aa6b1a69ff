"""A name of others is found through the other server, and a server that fails does not keep a device waiting."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import dns.asyncquery
import dns.message
import pytest
from dns.message import Message
from dns.rcode import Rcode

from hanse.drivers.names_embedded import EmbeddedNames, forwarding
from hanse.refpoints.mp2 import NameRecord
from tests.bounds import SOON

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
NEAR, FAR = f"{_BLOCK}.54", f"{_BLOCK}.55"


@pytest.fixture
async def far() -> AsyncIterator[EmbeddedNames]:
    server = EmbeddedNames(FAR, 0, zones=("far.example",))
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def near(far: EmbeddedNames) -> AsyncIterator[EmbeddedNames]:
    server = EmbeddedNames(NEAR, 0, forward=[(FAR, far.port)])
    await server.start()
    yield server
    await server.close()


async def ask(server: EmbeddedNames, name: str, tcp: bool = False) -> Message:
    over = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await over(dns.message.make_query(name, "A"), server.address, timeout=SOON, port=server.port)


async def test_an_answer_too_long_for_a_datagram_is_fetched_whole(near: EmbeddedNames, far: EmbeddedNames) -> None:
    for n in range(200):
        record = NameRecord(record_id=str(n), owner="a", name="many.far.example", address=f"127.3.0.{n}")
        await far.publish(str(n), record)
    [addresses] = (await ask(near, "many.far.example", tcp=True)).answer
    assert len(addresses) == 200


async def test_a_server_that_is_gone_is_a_failure_within_the_bound(
    near: EmbeddedNames, far: EmbeddedNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "PATIENCE", 0.1)
    await far.close()
    assert (await ask(near, "www.far.example")).rcode() == Rcode.SERVFAIL


async def test_more_questions_than_may_wait_fail_at_once_and_own_names_are_answered(
    near: EmbeddedNames, far: EmbeddedNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "MOST_OPEN", 0)
    await near.publish("r", NameRecord(record_id="r", owner="a", name="own.example", address="127.3.0.7"))
    replies = await asyncio.gather(ask(near, "www.far.example"), ask(near, "own.example"))
    assert [reply.rcode() for reply in replies] == [Rcode.SERVFAIL, Rcode.NOERROR]


async def test_a_record_of_ours_comes_before_the_other_server(near: EmbeddedNames, far: EmbeddedNames) -> None:
    for server, address in ((far, "127.3.0.1"), (near, "127.3.0.2")):
        await server.publish("r", NameRecord(record_id="r", owner="a", name="v.far.example", address=address))
    [addresses] = (await ask(near, "v.far.example")).answer
    assert [rdata.to_text() for rdata in addresses] == ["127.3.0.2"]
    await near.retract("r")
    [addresses] = (await ask(near, "v.far.example")).answer
    assert [rdata.to_text() for rdata in addresses] == ["127.3.0.1"]
