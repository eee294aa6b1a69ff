"""Datagrams are answered from the address that was asked, and a flood of questions that must wait stays bounded."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine

import pytest

from hanse.drivers.names_embedded import EmbeddedNames, serving
from hanse.drivers.names_embedded.serving import DatagramService
from hanse.kit.ports import bind
from hanse.kit.problems import Problem
from tests.both_loops import OVERRIDDEN, event_loop_policy  # noqa: F401 (a fixture)
from tests.bounds import SOON

pytestmark = OVERRIDDEN

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
ADDRESS, CLIENT = f"{_BLOCK}.52", f"{_BLOCK}.51"


async def test_more_questions_than_may_wait_get_no_answer_and_the_rest_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST_WAITING", 3)
    let = asyncio.Event()

    async def later(message: bytes) -> bytes:
        await let.wait()
        return message

    def reply(message: bytes, client: str, udp: bool) -> bytes | Coroutine[None, None, bytes | None] | None:
        return later(message) if message.startswith(b"s") else message

    service, loop = DatagramService(reply), asyncio.get_running_loop()
    server = bind(ADDRESS, 0, socket.SOCK_DGRAM)
    where = server.getsockname()
    service.open(server)
    with bind(CLIENT, 0, socket.SOCK_DGRAM) as client:
        for message in (b"s1", b"s2", b"s3", b"s4", b"at once"):
            client.sendto(message, where)
        async with asyncio.timeout(SOON):
            assert await loop.sock_recv(client, 64) == b"at once"
            let.set()
            assert {await loop.sock_recv(client, 64) for _ in range(3)} == {b"s1", b"s2", b"s3"}
    service.close()


async def test_a_query_over_which_we_stumble_costs_no_other_its_answer(caplog: pytest.LogCaptureFixture) -> None:
    def reply(message: bytes, client: str, udp: bool) -> bytes:
        if message == b"bad":
            raise KeyError("an error of ours")
        return message

    service, loop = DatagramService(reply), asyncio.get_running_loop()
    server = bind(ADDRESS, 0, socket.SOCK_DGRAM)
    with bind(CLIENT, 0, socket.SOCK_DGRAM) as client:
        for message in (b"a", b"bad", b"b"):
            client.sendto(message, server.getsockname())
        service.open(server)
        async with asyncio.timeout(SOON):
            assert [await loop.sock_recv(client, 64) for _ in range(2)] == [b"a", b"b"]
    service.close()
    assert b"bad".hex() in caplog.text


@pytest.mark.parametrize(
    ("address", "told"), [("0.0.0.0", "every address"), ("::", "every address"), ("localhost", "no IP address")]
)
async def test_a_server_that_could_answer_from_another_address_than_was_asked_does_not_start(
    address: str, told: str
) -> None:
    with pytest.raises(Problem, match=f"400.*{told}"):
        await EmbeddedNames(address, 0).start()
