"""What users see with `dig`, a program that is not ours: answers, subnets and signs of trouble as it reads them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from hanse.drivers.names_embedded import EmbeddedNames
from hanse.refpoints.mp2 import NameRecord
from tests.contract.digging import dig, told

ADDRESS = f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}.59"


@pytest.fixture
async def names() -> AsyncIterator[EmbeddedNames]:
    server = EmbeddedNames(ADDRESS, 0, zones=("mec.example",))
    await server.start()
    for number, clients in enumerate([(), ("10.1.0.0/16",)]):
        record = NameRecord(
            record_id=str(number), owner="a", name="v.mec.example", address=f"127.3.0.{number}", clients=clients, ttl=7
        )
        await server.publish(str(number), record)
    yield server
    await server.close()


@pytest.mark.parametrize("way", ["+notcp", "+tcp"])
async def test_dig_shows_the_answer_and_finds_nothing_to_warn_of(names: EmbeddedNames, way: str) -> None:
    told = await dig(names, "v.mec.example", "A", way, "+norecurse")
    assert "status: NOERROR" in told
    assert "v.mec.example.\t\t7\tIN\tA\t127.3.0.0" in told
    assert "WARNING" not in told.upper().replace("RECURSION REQUESTED", "")


async def test_dig_shows_for_which_subnet_an_answer_is_good(names: EmbeddedNames) -> None:
    told = await dig(names, "v.mec.example", "A", "+subnet=10.1.2.0/24")
    assert "CLIENT-SUBNET: 10.1.2.0/24/16" in told
    assert "127.3.0.1" in told


async def test_dig_finds_the_agreed_version_of_edns_by_itself(names: EmbeddedNames) -> None:
    assert "status: BADVERS" in await dig(names, "v.mec.example", "A", "+edns=1", "+noednsnegotiation")
    assert "status: NOERROR" in await dig(names, "v.mec.example", "A", "+edns=1", "+ednsopt=100", "+ednsflags=0x40")


async def test_dig_tells_a_missing_name_with_the_zone_that_misses_it(names: EmbeddedNames) -> None:
    told = await dig(names, "none.mec.example", "AAAA")
    assert "status: NXDOMAIN" in told
    assert "mec.example.\t\t5\tIN\tSOA" in told


@pytest.fixture
async def zone(names: EmbeddedNames) -> EmbeddedNames:
    """What an application developer may have published, in whatever spelling."""
    for name, address, ttl in (
        ("Shop.MEC.example.", "127.3.1.1", 30),
        ("a.b.ent.mec.example", "127.3.1.2", 30),
        ("once.mec.example", "127.3.1.3", 0),
        ("xn--bcher-kva.mec.example", "127.3.1.4", 30),
        ("www.lent.example", "127.3.1.5", 30),
        ("_sip._tcp.mec.example", "127.3.1.6", 30),
        ("six.mec.example", "2001:db8::7", 30),
    ):
        await names.publish(name, NameRecord(record_id=name, owner="a", name=name, address=address, ttl=ttl))
    alias = NameRecord(record_id="c", owner="a", name="alias.mec.example", canonical="SHOP.mec.example")
    await names.publish("c", alias)
    return names


@pytest.mark.parametrize(
    ("question", "status", "answer"),
    [
        ("shop.mec.example A", "NOERROR", "shop.mec.example.\t30\tIN\tA\t127.3.1.1"),
        ("sHoP.mEc.eXaMpLe. A", "NOERROR", "sHoP.mEc.eXaMpLe.\t30\tIN\tA\t127.3.1.1"),
        ("shop.mec.example AAAA", "NOERROR", ""),
        ("shop.mec.example HTTPS", "NOERROR", ""),
        ("shop.mec.example TXT", "NOERROR", ""),
        ("x.shop.mec.example A", "NXDOMAIN", ""),
        ("six.mec.example AAAA", "NOERROR", "six.mec.example.\t30\tIN\tAAAA\t2001:db8::7"),
        ("six.mec.example A", "NOERROR", ""),
        ("ent.mec.example A", "NOERROR", ""),
        ("b.ent.mec.example A", "NOERROR", ""),
        ("b.ent.mec.example TXT", "NOERROR", ""),
        ("c.ent.mec.example A", "NXDOMAIN", ""),
        ("once.mec.example A", "NOERROR", "once.mec.example.\t0\tIN\tA\t127.3.1.3"),
        ("+idnin bücher.mec.example A", "NOERROR", "127.3.1.4"),
        ("_sip._tcp.mec.example A", "NOERROR", "127.3.1.6"),
        ("*.mec.example A", "NXDOMAIN", ""),
        ("alias.mec.example A", "NOERROR", "alias.mec.example.\t30\tIN\tCNAME\tSHOP.mec.example."),
        ("alias.mec.example AAAA", "NOERROR", "alias.mec.example.\t30\tIN\tCNAME\tSHOP.mec.example."),
        ("mec.example NS", "NOERROR", "mec.example.\t300\tIN\tNS\tns.mec.example."),
        ("ns.mec.example A", "NOERROR", "ns.mec.example.\t300\tIN\tA\tADDRESS"),
        ("www.lent.example A", "NOERROR", "127.3.1.5"),
        ("www.lent.example MX", "NOERROR", ""),
        ("lent.example A", "REFUSED", ""),
        ("x.www.lent.example A", "REFUSED", ""),
        ("-x 127.3.1.1", "REFUSED", ""),
    ],
)
@pytest.mark.parametrize("way", ["+notcp", "+tcp"])
async def test_a_developer_finds_what_is_there_and_learns_what_is_not(
    zone: EmbeddedNames, question: str, status: str, answer: str, way: str
) -> None:
    """A name without that type, or with only names below it, is no missing name (RFC 2308, 2.2; RFC 8020)."""
    found = await told(zone, way, *question.split())
    assert found.status == status
    assert " ".join(answer.replace("ADDRESS", ADDRESS).split()) in " ".join(found.text.split())
    assert (found.counts["ANSWER"] > 0) == bool(answer)
    nothing = (status != "REFUSED" and not answer) or question == "alias.mec.example AAAA"
    assert (found.counts["AUTHORITY"] == 1) == nothing
    assert ("5\tIN\tSOA" in found.text) == nothing
    assert ("aa" in found.flags) == (status != "REFUSED")


async def test_any_gets_one_kind_of_record_and_a_label_may_be_as_long_as_labels_are(zone: EmbeddedNames) -> None:
    await zone.publish("s6", NameRecord(record_id="s6", owner="a", name="shop.mec.example", address="2001:db8::8"))
    assert (await told(zone, "shop.mec.example", "ANY", "+notcp")).counts["ANSWER"] == 1
    longest = f"{'x' * 63}.mec.example"
    await zone.publish("l", NameRecord(record_id="l", owner="a", name=longest, address="127.3.1.9"))
    assert (await told(zone, longest)).counts["ANSWER"] == 1
