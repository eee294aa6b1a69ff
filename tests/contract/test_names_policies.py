"""Devices are led to different hosts, each by its own answer, and a change of rules never shows anything between."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import dns.asyncquery
import dns.edns
import dns.message
import pytest

from benchmarks.dns_queries import question
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.kit.ports import bind
from hanse.refpoints.mp2 import NameRecord
from tests.bounds import SOON

_BLOCK = f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
SERVER, ALICE, BOB = f"{_BLOCK}.58", f"{_BLOCK}.160", f"{_BLOCK}.161"
NAME = "v.mec.example"
RECORDS = 10_000


@pytest.fixture
async def names() -> AsyncIterator[EmbeddedNames]:
    server = EmbeddedNames(SERVER, 0, zones=("mec.example",), rate=0)
    await server.start()
    yield server
    await server.close()


async def publish(names: EmbeddedNames, address: str, *clients: str, order: int = 0, ttl: int = 30) -> None:
    record = NameRecord(
        record_id=address, owner="app", name=NAME, address=address, clients=clients, order=order, ttl=ttl
    )
    await names.publish(address, record)


async def told(names: EmbeddedNames, source: str, subnet: str = "", tcp: bool = False) -> tuple[str, int]:
    """The address that a client is told, and for how many seconds it may remember it."""
    options: list[dns.edns.Option] = [dns.edns.ECSOption(*subnet_of(subnet))] if subnet else []
    query = dns.message.make_query(NAME, "A", use_edns=0 if subnet else -1, options=options)
    over = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    answer = await over(query, names.address, timeout=SOON, port=names.port, source=source)
    [records] = answer.answer
    [record] = records
    return record.to_text(), records.ttl


def subnet_of(text: str) -> tuple[str, int]:
    address, _, length = text.partition("/")
    return address, int(length)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_two_devices_get_different_hosts_for_one_name(names: EmbeddedNames, tcp: bool) -> None:
    await publish(names, "127.3.0.1")
    await publish(names, "127.3.0.2", BOB)
    for _ in range(2):
        assert (await told(names, ALICE, tcp=tcp))[0] == "127.3.0.1"
        assert (await told(names, BOB, tcp=tcp))[0] == "127.3.0.2"


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_resolver_gets_the_answer_for_the_subnet_that_it_asks_for(names: EmbeddedNames, tcp: bool) -> None:
    await publish(names, "127.3.0.1", "10.1.0.0/16")
    await publish(names, "127.3.0.2", "10.2.0.0/16")
    await publish(names, "127.3.0.3", order=9)
    for subnet, address in (("10.1.7.0/24", "127.3.0.1"), ("10.2.7.0/24", "127.3.0.2"), ("10.3.7.0/24", "127.3.0.3")):
        assert (await told(names, ALICE, subnet, tcp=tcp))[0] == address


async def test_a_device_that_remembers_as_long_as_it_may_is_at_the_new_host_within_one_time_to_live(
    names: EmbeddedNames,
) -> None:
    await publish(names, "127.3.0.1", ALICE, ttl=1)
    old, seconds = await told(names, ALICE)
    await publish(names, "127.3.0.2", ALICE, ttl=1)
    await names.retract("127.3.0.1")
    await asyncio.sleep(seconds)
    new, _ = await told(names, ALICE)
    assert (old, new, seconds) == ("127.3.0.1", "127.3.0.2", 1)


Found = list[tuple[int, str]]
"""Which records were asked for, and what was told."""


def ask(names: EmbeddedNames, goes_on: Callable[[], bool], pause: float, chance: random.Random, found: Found) -> None:
    """Ask for records by chance, one after the other, with a pause between."""
    with bind(ALICE, 0, socket.SOCK_DGRAM) as sock:
        sock.settimeout(SOON)
        sock.connect((names.address, names.port))
        while goes_on():
            number = chance.randrange(RECORDS)
            identifier = len(found) % 65536
            head = struct.pack("!6H", identifier, 0, 1, 0, 0, 0)
            sock.send(head + question(b"n%d.mec.example" % number, 1))
            answer = sock.recv(4096)
            assert int.from_bytes(answer[:2]) == identifier
            assert int.from_bytes(answer[6:8]) == 1
            found.append((number, ".".join(str(octet) for octet in answer[-4:])))
            time.sleep(pause)


async def asked(names: EmbeddedNames, seconds: float, chance: random.Random) -> Found:
    """So long without a pause."""
    found: Found = []
    until = time.monotonic() + seconds
    await asyncio.to_thread(ask, names, lambda: time.monotonic() < until or not found, 0.0, chance, found)
    return found


async def asked_while(names: EmbeddedNames, changing: Coroutine[Any, Any, None], pause: float) -> Found:
    """Until a change that begins with the first answer has ended."""
    found, goes_on = Found(), threading.Event()
    goes_on.set()
    asking = asyncio.create_task(asyncio.to_thread(ask, names, goes_on.is_set, pause, random.Random(2), found))
    try:
        while not found and not asking.done():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await changing
    finally:
        goes_on.clear()
        await asking
    return found


async def change(names: EmbeddedNames, host: int) -> None:
    for number in range(RECORDS):
        address = f"127.{host}.{number // 256}.{number % 256}"
        record = NameRecord(record_id=str(number), owner="app", name=f"n{number}.mec.example", address=address)
        await names.publish(str(number), record)
        if number % 10 == 0:
            await asyncio.sleep(0.001)


@pytest.mark.slow
async def test_while_ten_thousand_records_change_each_query_gets_the_old_or_the_new(names: EmbeddedNames) -> None:
    await change(names, 7)
    began = time.monotonic()
    free = await asked(names, 1.0, random.Random(1))
    between = (time.monotonic() - began) / len(free)
    during = await asked_while(names, change(names, 8), between)
    seen = set()
    for number, address in during:
        host = address.split(".")[1]
        assert address == f"127.{host}.{number // 256}.{number % 256}"
        seen.add(host)
    assert seen == {"7", "8"}
    after = await asked(names, 0.2, random.Random(3))
    assert {address.split(".")[1] for _, address in after} == {"8"}
