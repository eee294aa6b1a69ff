"""The tests of RFC 8906 (section 8), each as the RFC writes it for `dig`, and what ISC's compliance tester adds.

A server that fails one of them is taken for broken by resolvers, or costs every query a time-out.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from hanse.drivers.names_embedded import EmbeddedNames
from hanse.refpoints.mp2 import NameRecord
from tests.contract.digging import dig, told

ADDRESS = f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}.62"
ZONE = "mec.example"
PLAIN = "+noedns +noad +norec"
EDNS = "+nocookie +noad +norec"
SEVERAL = "+cookie +nsid +expire +subnet=0.0.0.0/0"


@pytest.fixture
async def names() -> AsyncIterator[EmbeddedNames]:
    server = EmbeddedNames(ADDRESS, 0, zones=(ZONE,))
    await server.start()
    for number in range(60):
        record = NameRecord(record_id=str(number), owner="a", name=f"many.{ZONE}", address=f"127.3.0.{number}")
        await server.publish(str(number), record)
    yield server
    await server.close()


@pytest.mark.parametrize(
    ("clause", "words", "flags", "answers"),
    [
        ("8.1.1", f"{PLAIN} soa {ZONE}", "qr aa", 1),
        ("8.1.2", f"{PLAIN} type1000 {ZONE}", "qr aa", 0),
        ("8.1.3.1", f"{PLAIN} +cd soa {ZONE}", "qr aa", 1),
        ("8.1.3.2", "+noedns +norec +ad soa mec.example", "qr aa", 1),
        ("8.1.3.3", f"{PLAIN} +zflag soa {ZONE}", "qr aa", 1),
        ("8.1.3.4", f"+noedns +noad +rec soa {ZONE}", "qr aa rd", 1),
        ("8.1.5", f"{PLAIN} +tcp soa {ZONE}", "qr aa", 1),
        ("all flags", f"+noedns +ad +cd +aa +zflag +rec soa {ZONE}", "qr aa rd", 1),
        ("A", f"{PLAIN} a {ZONE}", "qr aa", 0),
        ("NS", f"{PLAIN} ns {ZONE}", "qr aa", 1),
    ],
)
async def test_plain_dns_is_answered_without_edns_and_without_what_was_not_understood(
    names: EmbeddedNames, clause: str, words: str, flags: str, answers: int
) -> None:
    answer = await told(names, *words.split())
    assert (answer.status, answer.flags, answer.edns) == ("NOERROR", set(flags.split()), None)
    assert (answer.counts["QUERY"], answer.counts["ANSWER"]) == (1, answers)
    assert ("SOA" in answer.text) or answers


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 7, 14, 15])
@pytest.mark.parametrize("edns", ["+noedns", "+nocookie +edns=0"], ids=["plain", "EDNS"])
async def test_an_unknown_operation_is_not_implemented_and_comes_back_empty(
    names: EmbeddedNames, opcode: int, edns: str
) -> None:
    """8.1.4."""
    answer = await told(names, *f"{edns} +noad +opcode={opcode} +norec +header-only".split())
    assert (answer.status, answer.flags) == ("NOTIMP", {"qr"})
    assert answer.opcode.endswith(str(opcode)) or opcode in (1, 2, 4, 5)
    assert answer.edns == (None if edns == "+noedns" else set())
    assert answer.counts == {"QUERY": 0, "ANSWER": 0, "AUTHORITY": 0, "ADDITIONAL": answer.edns is not None}


@pytest.mark.parametrize(
    ("clause", "words", "status", "edns"),
    [
        ("8.2.1", "+edns=0 soa", "NOERROR", ""),
        ("8.2.2", "+edns=1 +noednsneg soa", "BADVERS", ""),
        ("8.2.3", "+edns=0 +ednsopt=100 soa", "NOERROR", ""),
        ("8.2.4", "+edns=0 +ednsflags=0x40 soa", "NOERROR", ""),
        ("8.2.5", "+edns=1 +noednsneg +ednsflags=0x40 soa", "BADVERS", ""),
        ("8.2.6", "+edns=1 +noednsneg +ednsopt=100 soa", "BADVERS", ""),
        ("8.2.8", "+edns=0 +dnssec soa", "NOERROR", "do"),
        ("8.2.9", "+edns=1 +noednsneg +dnssec soa", "BADVERS", "do"),
        ("8.2.10", f"+edns=0 {SEVERAL} soa", "NOERROR", ""),
        ("8.2.10 at version 1", f"+edns=1 +noednsneg {SEVERAL} soa", "BADVERS", ""),
        ("a cookie of one byte", "+edns=0 +ednsopt=10:aa soa", "NOERROR", ""),
        ("an error told in a query", "+edns=0 +ednsopt=15:aa soa", "NOERROR", ""),
        ("a subnet of nonsense at version 1", "+edns=1 +noednsneg +ednsopt=8:ffff soa", "BADVERS", ""),
        ("every flag", "+edns=0 +dnssec +ednsflags=0x7fff soa", "NOERROR", "do"),
        ("a signed query", "+edns=0 -y hmac-sha256:stranger:c2VjcmV0 soa", "NOERROR", ""),
        ("by TCP", "+edns=0 +tcp soa", "NOERROR", ""),
    ],
)
async def test_edns_is_answered_with_edns_and_unknown_options_and_flags_stay_away(
    names: EmbeddedNames, clause: str, words: str, status: str, edns: str
) -> None:
    answer = await told(names, *EDNS.split(), *words.split(), ZONE)
    assert (answer.status, answer.edns) == (status, set(edns.split()))
    assert answer.flags == ({"qr", "aa"} if status == "NOERROR" else {"qr"})
    assert answer.counts["ANSWER"] == (status == "NOERROR")
    assert not {"OPT=100", "NSID", "COOKIE", "EXPIRE"} & set(answer.text.replace(":", " ").split())


async def test_a_cut_answer_says_so_with_edns_and_no_part_of_what_was_cut(names: EmbeddedNames) -> None:
    """8.2.7, with records of ours in the place of keys."""
    answer = await told(names, *f"+norec +nocookie +dnssec +bufsize=512 +ignore a many.{ZONE}".split())
    assert (answer.status, answer.edns) == ("NOERROR", {"do"})
    assert {"qr", "aa", "tc"} == answer.flags
    keys = await told(names, *f"+norec +nocookie +dnssec +bufsize=512 +ignore dnskey {ZONE}".split())
    assert (keys.status, keys.edns, keys.counts["ANSWER"]) == ("NOERROR", {"do"}, 0)


async def test_dig_asks_again_by_tcp_and_has_all_of_a_cut_answer(names: EmbeddedNames) -> None:
    answer = await told(names, "+norec", "+bufsize=512", "a", f"many.{ZONE}")
    assert answer.text.count("IN\tA\t127.3.0.") == 60
    assert "Truncated, retrying in TCP mode" in answer.text


@pytest.mark.parametrize(
    "option",
    [
        "8:00",
        "8:00011800",
        "8:0001180a0102ff",
        "8:000114000a010f",
        "8:000121000a01020304",
        "8:000708000a",
        "8:00011818",
    ],
)
@pytest.mark.parametrize("way", ["+notcp", "+tcp"])
async def test_a_client_subnet_that_cannot_be_meant_is_a_format_error_with_edns(
    names: EmbeddedNames, option: str, way: str
) -> None:
    """RFC 6891, 7: the answer to an option that is badly formed must have OPT; RFC 7871, 6."""
    answer = await told(names, *f"{EDNS} +edns=0 {way} +ednsopt={option} a many.{ZONE}".split())
    assert (answer.status, answer.edns, answer.flags) == ("FORMERR", set(), {"qr"})
    assert (answer.counts["QUERY"], answer.counts["ANSWER"]) == (1, 0)


@pytest.mark.parametrize("option", ["8:00000000", "8:00010000", "8:00020000"], ids=["no family", "IPv4", "IPv6"])
async def test_one_who_hides_all_of_its_subnet_is_answered_and_told_that_it_is_good_for_all(
    names: EmbeddedNames, option: str
) -> None:
    answer = await told(names, *f"{EDNS} +edns=0 +ignore +ednsopt={option} soa {ZONE}".split())
    assert (answer.status, answer.counts["ANSWER"]) == ("NOERROR", 1)
    assert "/0/0" in answer.text or option == "8:00000000"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("version.bind ch txt", "REFUSED"),
        ("-c any mec.example a", "REFUSED"),
        ("elsewhere.example a", "REFUSED"),
        (". ns", "REFUSED"),
        ("-x 127.3.0.1", "REFUSED"),
        ("mec.example opt", "FORMERR"),
        ("mec.example mailb", "NOTIMP"),
    ],
)
async def test_what_nobody_gets_is_told_at_once_and_repeats_the_question(
    names: EmbeddedNames, words: str, status: str
) -> None:
    answer = await told(names, *EDNS.split(), "+notcp", *words.split())
    assert (answer.status, answer.edns) == (status, set())
    assert (answer.counts["QUERY"], answer.counts["ANSWER"]) == (1, 0)


@pytest.mark.parametrize("transfer", ["axfr", "ixfr=1"])
async def test_nobody_gets_all_names_of_a_zone_at_once(names: EmbeddedNames, transfer: str) -> None:
    text = await dig(names, "+tcp", ZONE, transfer)
    assert "Transfer failed" in text
    assert "127.3.0." not in text
