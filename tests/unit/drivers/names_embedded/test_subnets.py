"""The answer follows the client subnet in the query (RFC 7871); what cannot be meant is refused on both ways."""

from __future__ import annotations

import struct

import dns.edns
import dns.message
import pytest
from dns.message import Message
from dns.rcode import Rcode

from benchmarks.dns_queries import opt, question, subnet
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.refpoints.mp2 import NameRecord

A, SOA = 1, 6


def ask(kind: int, extra: bytes, client: str = "127.9.0.1") -> Message:
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",))
    for number, clients in enumerate([(), ("10.1.0.0/16",), ("10.1.2.0/24",)]):
        record = NameRecord(
            record_id=str(number), owner="a", name="v.mec.example", address=f"127.3.0.{number}", clients=clients
        )
        names.put(record)
    wire = struct.pack("!6H", 9, 0, 1, 0, 0, 1) + question(b"v.mec.example", kind) + extra
    answer = names.reply(wire, client, True)
    assert isinstance(answer, bytes)
    return dns.message.from_wire(answer)


@pytest.mark.parametrize(
    ("length", "octets", "address", "scope"),
    [
        (24, b"\x0a\x01\x02", "127.3.0.2", 24),
        (16, b"\x0a\x01", "127.3.0.1", 24),
        (24, b"\x0a\x01\x80", "127.3.0.1", 17),
        (32, b"\x0b\0\0\1", "127.3.0.0", 8),
        (0, b"", "127.3.0.0", 0),
    ],
)
def test_the_answer_follows_the_client_subnet_and_tells_for_whom_it_is_good(
    length: int, octets: bytes, address: str, scope: int
) -> None:
    answer = ask(A, opt(subnet(1, length, octets)))
    assert answer.answer[0][0].to_text() == address
    [option] = answer.options
    assert isinstance(option, dns.edns.ECSOption)
    assert (option.srclen, option.scopelen) == (length, scope)


def test_one_who_hides_its_subnet_is_served_by_its_address() -> None:
    answer = ask(A, opt(subnet(1, 0, b"")), client="10.1.2.9")
    assert answer.answer[0][0].to_text() == "127.3.0.2"


@pytest.mark.parametrize("kind", [A, SOA], ids=["short way", "complete way"])
@pytest.mark.parametrize(
    "option",
    [
        subnet(1, 24, b"\x0a\x01"),
        subnet(1, 24, b"\x0a\x01\x02\x03"),
        subnet(1, 20, b"\x0a\x01\x0f"),
        subnet(1, 33, b"\x0a\x01\x02\x03\x04"),
        subnet(7, 8, b"\x0a"),
        subnet(1, 24, b"\x0a\x01\x02", scope=24),
        subnet(1, 24, b"\x0a\x01\x02") * 2,
    ],
    ids=["few", "many", "bits beyond", "too long", "family", "scope", "twice"],
)
def test_a_client_subnet_that_is_badly_written_is_a_format_error(kind: int, option: bytes) -> None:
    assert ask(kind, opt(option)).rcode() == Rcode.FORMERR
