"""What users see with `dig`, a program that is not ours: answers, subnets and signs of trouble as it reads them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from hanse.drivers.names_embedded import EmbeddedNames
from hanse.refpoints.mp2 import NameRecord
from tests.contract.digging import dig

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
