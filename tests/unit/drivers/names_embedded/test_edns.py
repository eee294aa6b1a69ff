"""What resolvers try out on a server before they trust it with EDNS (RFC 8906, 8) works, so that none falls back."""

from __future__ import annotations

import struct

import dns.edns
import dns.flags
import dns.message
import pytest
from dns.message import Message
from dns.rcode import Rcode

from benchmarks.dns_queries import opt, question, subnet
from hanse.drivers.names_embedded import EmbeddedNames, messages
from hanse.refpoints.mp2 import NameRecord

A, SOA, UNKNOWN = 1, 6, 1000
NSID, EXPIRE = (struct.pack("!HH", code, 0) for code in (3, 9))
COOKIE = struct.pack("!HH", 10, 8) + b"8 octets"
STRANGE = struct.pack("!HH", 100, 0)


def ask(kind: int = SOA, flags: int = 0, extra: bytes = b"") -> Message:
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",))
    wire = struct.pack("!6H", 9, flags, 1, 0, 0, bool(extra)) + question(b"mec.example", kind) + extra
    answer = names.reply(wire, "127.9.0.1", True)
    assert isinstance(answer, bytes)
    return dns.message.from_wire(answer)


@pytest.mark.parametrize("flags", [0, 0x0010, 0x0020, 0x0040, 0x0100], ids=["none", "CD", "AD", "reserved", "RD"])
@pytest.mark.parametrize("kind", [A, SOA, UNKNOWN])
def test_flags_of_a_plain_query_are_taken_and_the_reserved_one_never_comes_back(flags: int, kind: int) -> None:
    answer = ask(kind, flags)
    assert (answer.rcode(), answer.edns) == (Rcode.NOERROR, -1)
    assert answer.flags == dns.flags.QR | dns.flags.AA | flags & dns.flags.RD
    assert bool(answer.answer) == (kind == SOA)


@pytest.mark.parametrize("options", [b"", STRANGE, NSID + COOKIE + EXPIRE], ids=["none", "unknown", "several"])
@pytest.mark.parametrize("flags", [0, 0x8000, 0x0040, 0x8040])
@pytest.mark.parametrize("version", [0, 1, 255])
def test_versions_flags_and_options_of_edns_are_answered_as_the_rfc_says(
    version: int, flags: int, options: bytes
) -> None:
    answer = ask(extra=opt(options, version=version, flags=flags))
    assert answer.rcode() == (Rcode.BADVERS if version else Rcode.NOERROR)
    assert (answer.edns, answer.ednsflags & 0xFFFF, answer.payload) == (0, flags & 0x8000, 1232)
    assert not answer.options
    assert bool(answer.answer) == (not version)


def test_an_answer_that_is_cut_is_still_one_with_edns_and_the_subnet_and_says_so() -> None:
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",))
    for number in range(100):
        names.put(NameRecord(record_id=str(number), owner="a", name="v.mec.example", address=f"127.3.0.{number}"))
    extra = opt(subnet(1, 24, b"\x0a\x01\x02"), flags=0x8000)
    wire = struct.pack("!6H", 9, 0, 1, 0, 0, 1) + question(b"v.mec.example", A) + extra
    answer = names.reply(wire, "127.9.0.1", True)
    assert isinstance(answer, bytes)
    told = dns.message.from_wire(answer)
    assert told.flags & dns.flags.TC
    assert len(answer) <= 1232
    assert (told.edns, told.ednsflags & 0xFFFF, len(told.options)) == (0, 0x8000, 1)
    assert isinstance(names.reply(wire, "127.9.0.1", False), bytes)
    assert not dns.message.from_wire(names.reply(wire, "127.9.0.1", False)).flags & dns.flags.TC  # type: ignore[arg-type]


OPTION_TOO_LONG = opt(struct.pack("!HH", 100, 9) + b"short")
HALF_AN_OPTION = opt(b"\0\x64\0")


@pytest.mark.parametrize(
    ("counts", "extra"),
    [
        ((0, 0, 1), OPTION_TOO_LONG),
        ((0, 0, 1), HALF_AN_OPTION),
        ((0, 0, 1), opt(OPTION_TOO_LONG[11:], flags=0x8000)),
        ((0, 0, 2), opt() + opt()),
        ((0, 0, 2), opt() + opt(version=1)),
        ((1, 0, 0), opt()),
        ((0, 1, 0), opt()),
        ((0, 0, 1), b"\x01a" + opt()),
        ((0, 0, 1), opt() + b"x"),
        ((0, 0, 2), opt()),
    ],
    ids=[
        "an option longer than its record",
        "half an option",
        "with DO",
        "twice",
        "twice, of two versions",
        "among answers",
        "among authorities",
        "with a name",
        "bytes after it",
        "a record missing after it",
    ],
)
@pytest.mark.parametrize("kind", [A, SOA], ids=["short way", "complete way"])
def test_edns_that_is_badly_written_is_a_format_error_that_has_edns_and_the_question(
    kind: int, counts: tuple[int, int, int], extra: bytes
) -> None:
    """RFC 6891, 6.1.1 and 7."""
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",))
    wire = struct.pack("!6H", 9, 0x0100, 1, *counts) + question(b"mEc.example", kind) + extra
    reply = names.reply(wire, "127.9.0.1", True)
    assert isinstance(reply, bytes)
    told = dns.message.from_wire(reply)
    assert (told.rcode(), told.edns, told.payload) == (Rcode.FORMERR, 0, 1232)
    assert bool(told.ednsflags & 0x8000) == (b"\x80\0" in extra[:11])
    assert told.question[0].to_text().startswith("mEc.example. IN ")
    assert len(reply) <= len(wire)


@pytest.mark.parametrize("opcode", [1, 2, 4, 5, 6, 15])
def test_an_operation_that_is_not_implemented_is_refused_with_edns(opcode: int) -> None:
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",))
    wire = struct.pack("!6H", 9, opcode << 11, 1, 0, 0, 1) + question(b"mec.example", SOA) + opt(flags=0x8000)
    reply = names.reply(wire, "127.9.0.1", True)
    assert isinstance(reply, bytes)
    assert reply == struct.pack("!6H", 9, 0x8000 | opcode << 11 | 4, 0, 0, 0, 1) + opt(flags=0x8000)


def test_records_beside_the_question_that_we_do_not_read_do_no_harm() -> None:
    signature = b"\x01k" + struct.pack("!BHHIH", 0, 250, 255, 0, 4) + b"junk"
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",))
    wire = struct.pack("!6H", 9, 0, 1, 0, 0, 2) + question(b"mec.example", SOA) + opt() + signature
    reply = names.reply(wire, "127.9.0.1", True)
    assert isinstance(reply, bytes)
    told = dns.message.from_wire(reply)
    assert (told.rcode(), told.edns, len(told.answer)) == (Rcode.NOERROR, 0, 1)


def test_who_is_not_admitted_and_who_is_cut_short_hear_it_with_edns() -> None:
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",), admits=lambda _: False)
    wire = struct.pack("!6H", 9, 0, 1, 0, 0, 1) + question(b"mec.example", SOA) + opt(flags=0x8000)
    for reply in (names.reply(wire, "127.9.0.1", True), messages.cut(wire)):
        assert isinstance(reply, bytes)
        told = dns.message.from_wire(reply)
        assert (told.edns, told.ednsflags & 0x8000, len(told.question)) == (0, 0x8000, 1)
        assert len(reply) <= len(wire)


def test_any_gets_one_kind_of_record_so_that_asking_it_is_no_lever() -> None:
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",))
    for address in ("127.3.0.1", "2001:db8::1"):
        names.put(NameRecord(record_id=address, owner="a", name="v.mec.example", address=address))
    answer = names.reply(struct.pack("!6H", 9, 0, 1, 0, 0, 0) + question(b"v.mec.example", 255), "127.9.0.1", True)
    assert isinstance(answer, bytes)
    [records] = dns.message.from_wire(answer).answer
    assert [rdata.to_text() for rdata in records] == ["127.3.0.1"]
