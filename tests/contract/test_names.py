"""Every name server: what is published is answered over UDP and TCP, and nothing breaks it (`NameServer`)."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import dns.asyncquery
import dns.flags
import dns.message
import pytest
from dns.message import Message
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from msgspec.structs import replace

from hanse.drivers.names_embedded import EmbeddedNames
from hanse.drivers.names_rfc2136 import UpdatedNames
from hanse.kit.ports import bind
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import BY_CLIENT, NameRecord, NameRecords
from tests.bounds import SOON
from tests.contract.outside import KEY, outside

_BLOCK = f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
SERVER, UPSTREAM, OUTSIDE = f"{_BLOCK}.53", f"{_BLOCK}.54", f"{_BLOCK}.55"
Server = EmbeddedNames | UpdatedNames
DEVICE, STRANGER = f"{_BLOCK}.60", f"{_BLOCK}.61"
ZONE = "mec.example"


@pytest.fixture
async def names() -> AsyncIterator[EmbeddedNames]:
    server = EmbeddedNames(SERVER, 0, zones=(ZONE,), admits=lambda client: client != STRANGER)
    await server.start()
    yield server
    await server.close()


@pytest.fixture(params=["embedded", "outside"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    """Every driver there is."""
    if request.param == "embedded":
        embedded = EmbeddedNames(SERVER, 0, zones=(ZONE,))
        await embedded.start()
        yield embedded
        await embedded.close()
        return
    with bind(OUTSIDE, 0) as free:
        port: int = free.getsockname()[1]
    with outside(tmp_path / "knot", OUTSIDE, port, ZONE):
        updated = UpdatedNames(OUTSIDE, port, ZONE, KEY, tmp_path / "published.json")
        await updated.start()
        yield updated


def record(
    record_id: str = "r", name: str = "video.mec.example", address: str = "127.3.0.7", ttl: int = 30
) -> NameRecord:
    return NameRecord(record_id=record_id, owner="app", name=name, address=address, ttl=ttl)


async def ask(
    names: Server, name: str, kind: str = "A", *, source: str = DEVICE, tcp: bool = False, edns: int = -1
) -> Message:
    query = dns.message.make_query(name, kind, use_edns=edns)
    over = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await over(query, names.address, timeout=SOON, port=names.port, source=source)


def addresses(answer: Message) -> set[str]:
    return {rdata.to_text() for rrset in answer.answer for rdata in rrset}


async def raw(names: EmbeddedNames, packet: bytes) -> bytes:
    """What comes back for bytes that are perhaps no query."""
    with bind(DEVICE, 0, socket.SOCK_DGRAM) as sock:
        sock.connect((names.address, names.port))
        sock.send(packet)
        async with asyncio.timeout(SOON):
            return await asyncio.get_running_loop().sock_recv(sock, 4096)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_device_finds_what_was_published(server: Server, tcp: bool) -> None:
    await server.publish("r", record(ttl=17))
    answer = await ask(server, "video.mec.example", tcp=tcp)
    assert addresses(answer) == {"127.3.0.7"}
    assert answer.answer[0].ttl == 17
    assert answer.flags & dns.flags.AA


async def test_a_name_is_the_same_in_any_case_and_comes_back_as_asked(server: Server) -> None:
    await server.publish("r", record(name="Video.MEC.example"))
    answer = await ask(server, "vIDEO.mec.EXAMPLE")
    assert addresses(answer) == {"127.3.0.7"}
    assert answer.question[0].name.to_text() == "vIDEO.mec.EXAMPLE."


async def test_ipv6_addresses_and_several_records_of_a_name(server: Server) -> None:
    for record_id, address in (("a", "127.3.0.7"), ("b", "127.3.0.8"), ("c", "2001:db8::7")):
        await server.publish(record_id, record(record_id, address=address))
    assert addresses(await ask(server, "video.mec.example")) == {"127.3.0.7", "127.3.0.8"}
    assert addresses(await ask(server, "video.mec.example", "AAAA")) == {"2001:db8::7"}


async def test_a_retracted_name_is_gone_at_once_and_twice_is_no_error(server: Server) -> None:
    await server.publish("r", record())
    await server.retract("r")
    await server.retract("r")
    answer = await ask(server, "video.mec.example")
    assert answer.rcode() == Rcode.NXDOMAIN
    assert [rrset.rdtype for rrset in answer.authority] == [RdataType.SOA]
    assert await server.records() == []


async def test_publishing_again_replaces_the_address(server: Server) -> None:
    await server.publish("r", record())
    await server.publish("r", record(address="127.3.0.9"))
    assert addresses(await ask(server, "video.mec.example")) == {"127.3.0.9"}
    assert await server.records() == [record(address="127.3.0.9")]


async def test_an_alias_leads_on_to_the_name_that_it_stands_for(server: Server) -> None:
    await server.publish("r", record())
    alias = NameRecord(record_id="s", owner="app", name="films.mec.example", canonical="video.mec.example")
    await server.publish("s", alias)
    assert addresses(await ask(server, "films.mec.example")) == {"video.mec.example.", "127.3.0.7"}
    assert await server.records() == [record(), alias]


async def test_a_record_that_cannot_be_answered_is_refused_and_replaces_nothing(server: Server) -> None:
    await server.publish("r", record())
    for wrong in (record(address="127.3.0"), record(ttl=-1), record(name="a..b")):
        with pytest.raises(Problem, match="400"):
            await server.publish("r", wrong)
    with pytest.raises(Problem, match="recordId differs"):
        await server.publish("other", record())
    assert await server.records() == [record()]


@pytest.mark.parametrize("kind", ["AAAA", "TXT", "HTTPS", "TYPE65280"])
async def test_a_type_that_a_name_does_not_have_is_no_missing_name(server: Server, kind: str) -> None:
    await server.publish("r", record())
    answer = await ask(server, "video.mec.example", kind)
    assert (answer.rcode(), answer.answer) == (Rcode.NOERROR, [])
    assert [rrset.rdtype for rrset in answer.authority] == [RdataType.SOA]


async def test_names_of_others_and_strangers_are_refused(names: EmbeddedNames) -> None:
    await names.publish("r", record())
    assert (await ask(names, "www.elsewhere.example")).rcode() == Rcode.REFUSED
    assert (await ask(names, "video.mec.example", source=STRANGER)).rcode() == Rcode.REFUSED
    assert (await ask(names, "video.mec.example", source=STRANGER, tcp=True)).rcode() == Rcode.REFUSED


async def test_edns_is_answered_with_edns_and_an_unknown_version_as_such(names: EmbeddedNames) -> None:
    await names.publish("r", record())
    assert (await ask(names, "video.mec.example")).edns == -1
    assert (await ask(names, "video.mec.example", edns=0)).payload == 1232
    assert (await ask(names, "video.mec.example", edns=1)).rcode() == Rcode.BADVERS


async def test_an_answer_that_does_not_fit_says_so_and_comes_whole_by_tcp(names: EmbeddedNames) -> None:
    for number in range(60):
        await names.publish(str(number), record(str(number), address=f"127.3.1.{number}"))
    assert (await ask(names, "video.mec.example")).flags & dns.flags.TC
    assert len(addresses(await ask(names, "video.mec.example", tcp=True))) == 60


async def test_other_operations_are_not_implemented_and_garbage_is_a_format_error(names: EmbeddedNames) -> None:
    notify = struct.pack("!6H", 7, Opcode.NOTIFY << 11, 1, 0, 0, 0)
    broken = struct.pack("!6H", 8, 0, 1, 0, 0, 0) + b"\xc0\xff"
    assert (await raw(names, notify))[3] & 0xF == Rcode.NOTIMP
    answer = await raw(names, broken)
    assert (answer[:2], answer[3] & 0xF) == (b"\x00\x08", Rcode.FORMERR)


async def test_two_thousand_packets_of_garbage_leave_it_answering(
    names: EmbeddedNames, caplog: pytest.LogCaptureFixture
) -> None:
    await names.publish("r", record())
    chance = random.Random(1)
    whole = dns.message.make_query("video.mec.example", "A", use_edns=0).to_wire()
    with bind(DEVICE, 0, socket.SOCK_DGRAM) as sock:
        for number in range(2000):
            packet = bytearray(whole if number % 2 else chance.randbytes(chance.randrange(80)))
            for _ in range(chance.randrange(6)):
                if packet:
                    packet[chance.randrange(len(packet))] = chance.randrange(256)
            sock.sendto(packet, (names.address, names.port))
            if number % 50 == 0:
                assert addresses(await ask(names, "video.mec.example")) == {"127.3.0.7"}
    assert addresses(await ask(names, "video.mec.example")) == {"127.3.0.7"}
    assert not caplog.records


async def test_several_questions_go_over_one_connection_and_garbage_ends_only_that(names: EmbeddedNames) -> None:
    await names.publish("r", record())
    wire = dns.message.make_query("video.mec.example", "A").to_wire()
    reader, writer = await asyncio.open_connection(names.address, names.port)
    for _ in range(3):
        writer.write(struct.pack("!H", len(wire)) + wire)
        [length] = struct.unpack("!H", await reader.readexactly(2))
        assert addresses(dns.message.from_wire(await reader.readexactly(length))) == {"127.3.0.7"}
    writer.write(b"\x00\x03abc")
    assert await reader.read() == b""
    writer.close()
    assert addresses(await ask(names, "video.mec.example", tcp=True)) == {"127.3.0.7"}


async def test_a_taken_port_names_its_holder(names: EmbeddedNames) -> None:
    second = EmbeddedNames(SERVER, names.port)
    with pytest.raises(Problem, match=rf"409.*port {names.port} on {SERVER} is taken by pid {os.getpid()}"):
        await second.start()


async def test_names_of_others_are_asked_of_the_other_server(names: EmbeddedNames) -> None:
    await names.publish("r", record())
    near = EmbeddedNames(UPSTREAM, 0, forward=[(names.address, names.port)])
    await near.start()
    try:
        await near.publish("own", record("own", name="own.example", address="127.3.0.1"))
        assert addresses(await ask(near, "own.example")) == {"127.3.0.1"}
        assert addresses(await ask(near, "video.mec.example", edns=0)) == {"127.3.0.7"}
        assert (await ask(near, "none.mec.example", tcp=True)).rcode() == Rcode.NXDOMAIN
    finally:
        await near.close()


def all_of(*records: NameRecord) -> NameRecords:
    return NameRecords(records=records)


async def test_all_records_of_an_owner_are_replaced_and_those_of_others_stay(server: Server) -> None:
    other = replace(record("o", name="other.mec.example"), owner="another")
    await server.publish("o", other)
    await server.publish_all("app", all_of(record("a"), record("b", name="films.mec.example")))
    await server.publish_all("app", all_of(record("b", name="films.mec.example", address="127.3.0.9"), record("c")))
    assert addresses(await ask(server, "films.mec.example")) == {"127.3.0.9"}
    assert addresses(await ask(server, "video.mec.example")) == {"127.3.0.7"}
    assert addresses(await ask(server, "other.mec.example")) == {"127.3.0.7"}
    assert [r.record_id for r in await server.records()] == ["b", "c", "o"]
    assert [r.record_id for r in await server.records_of("app")] == ["b", "c"]
    assert await server.records_of("another") == [other]
    assert await server.records_of("stranger") == []
    await server.publish_all("app", all_of())
    assert await server.records() == [other]
    assert await server.records_of("app") == []
    assert (await ask(server, "films.mec.example")).rcode() == Rcode.NXDOMAIN


async def test_of_many_records_one_wrong_leaves_all_as_they_were(server: Server) -> None:
    await server.publish("r", record())
    wrong = (
        all_of(record("a", address="127.3.0.9"), record("b", address="127.3.0")),
        all_of(record("a"), record("a", address="127.3.0.9")),
        all_of(replace(record("a"), owner="another")),
    )
    for records in wrong:
        with pytest.raises(Problem, match="400"):
            await server.publish_all("app", records)
    assert await server.records() == [record()]
    assert addresses(await ask(server, "video.mec.example")) == {"127.3.0.7"}


async def test_what_a_server_says_that_it_lacks_it_refuses_and_all_else_it_does(server: Server) -> None:
    for_some = replace(record(), clients=(DEVICE,))
    lacks = (await server.capabilities()).lacks
    if BY_CLIENT in lacks:
        with pytest.raises(Problem, match="same answer"):
            await server.publish("r", for_some)
        assert await server.records() == []
    else:
        await server.publish("r", for_some)
        assert addresses(await ask(server, "video.mec.example")) == {"127.3.0.7"}
        assert addresses(await ask(server, "video.mec.example", source=STRANGER)) == set()
    assert set(lacks) <= {BY_CLIENT}
