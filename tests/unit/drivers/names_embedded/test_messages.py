"""What cannot be read is answered with the right error, or not at all, and never with more bytes than were taken."""

from __future__ import annotations

import random
import struct

import dns.flags
import dns.message
import pytest
from dns.rcode import Rcode

from hanse.drivers.names_embedded import EmbeddedNames, messages
from hanse.drivers.names_embedded.query import PAYLOAD
from hanse.refpoints.mp2 import NameRecord

WIRE = dns.message.make_query("video.mec.example", "A", id=0x1234, use_edns=0).to_wire()
CLIENT = "127.3.0.1"


def server(records: int = 1) -> EmbeddedNames:
    found = EmbeddedNames("127.0.0.1", 0, zones=["mec.example"])
    for n in range(records):
        found.put(
            NameRecord(record_id=str(n), owner="a", name="video.mec.example", address=f"127.3.{n // 256}.{n % 256}")
        )
    return found


def code(reply: object) -> int:
    assert isinstance(reply, bytes)
    return reply[3] & 0xF


def test_an_answer_gets_no_answer_so_that_two_servers_never_talk_for_ever() -> None:
    assert messages.read(WIRE[:2] + b"\x80\x00" + WIRE[4:]) is None


@pytest.mark.parametrize("size", [0, 1, 11])
def test_less_than_a_header_gets_no_answer(size: int) -> None:
    assert messages.read(WIRE[:size]) is None


@pytest.mark.parametrize("opcode", [1, 2, 4, 5, 6, 15])
def test_other_operations_are_not_implemented(opcode: int) -> None:
    assert code(messages.read(WIRE[:2] + struct.pack("!H", opcode << 11) + WIRE[4:])) == Rcode.NOTIMP


@pytest.mark.parametrize(
    "wire",
    [
        WIRE[:20],
        WIRE[:4] + b"\x00\x02" + WIRE[6:],
        WIRE[:4] + b"\x00\x00" + WIRE[6:],
        WIRE + b"x",
        WIRE[:12] + b"\xc0\x0c" + WIRE[14:],
    ],
    ids=["cut", "two questions", "no question", "trailing", "pointer to itself"],
)
def test_what_is_no_single_question_is_a_format_error_with_its_identifier(wire: bytes) -> None:
    reply = messages.read(wire)
    assert code(reply) == Rcode.FORMERR
    assert isinstance(reply, bytes)
    assert reply[:2] == b"\x12\x34"


@pytest.mark.parametrize(
    ("kind", "rdclass", "said"),
    [
        ("AXFR", "IN", Rcode.REFUSED),
        ("IXFR", "IN", Rcode.REFUSED),
        ("A", "CH", Rcode.REFUSED),
        ("A", "ANY", Rcode.REFUSED),
        ("MAILA", "IN", Rcode.NOTIMP),
        ("OPT", "IN", Rcode.FORMERR),
        ("TSIG", "IN", Rcode.FORMERR),
        ("TYPE0", "IN", Rcode.FORMERR),
    ],
)
def test_transfers_other_classes_and_types_that_no_record_has_get_no_answer(kind: str, rdclass: str, said: int) -> None:
    assert code(messages.read(dns.message.make_query("mec.example", kind, rdclass).to_wire())) == said


@pytest.mark.parametrize(
    ("payload", "limit"), [(0, 512), (100, 512), (512, 512), (700, 700), (1232, 1232), (65535, 1232)]
)
def test_no_datagram_is_longer_than_the_device_and_the_way_take(payload: int, limit: int) -> None:
    question = dns.message.make_query("video.mec.example", "A", use_edns=0, payload=payload).to_wire()
    most = (limit - len(question)) // 16
    for records, cut in ((most, False), (most + 1, True)):
        told = server(records).reply(question, CLIENT, True)
        assert isinstance(told, bytes)
        assert len(told) <= limit
        assert bool(dns.message.from_wire(told).flags & dns.flags.TC) == cut


def test_a_device_that_understands_signatures_hears_that_it_was_understood() -> None:
    told = server().reply(dns.message.make_query("video.mec.example", "SOA", want_dnssec=True).to_wire(), CLIENT, True)
    assert isinstance(told, bytes)
    assert dns.message.from_wire(told).ednsflags & dns.flags.DO


def test_no_mutation_of_a_query_breaks_it_and_an_error_is_no_longer_than_the_query() -> None:
    chance, names = random.Random(3), server()
    for _ in range(3000):
        wire = bytearray(WIRE)
        for _ in range(chance.randrange(1, 4)):
            wire[chance.randrange(len(wire))] = chance.choice((0, 1, 12, 41, 0xC0, 0xFF, chance.randrange(256)))
        told = names.reply(bytes(wire), CLIENT, True)
        assert told is None or isinstance(told, bytes)
        if told is None:
            assert wire[2] & 0x80
        else:
            dns.message.from_wire(told)
            assert len(told) <= (len(wire) if told[3] & 0xF in (1, 4, 5) else PAYLOAD)
