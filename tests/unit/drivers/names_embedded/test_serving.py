"""A client that holds a connection without a question costs the server a bounded place for a bounded time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from hanse.drivers.names_embedded import serving
from hanse.drivers.names_embedded.driver import EmbeddedNames
from hanse.drivers.names_embedded.serving import StreamService

ADDRESS = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}.53"


def mirror(message: bytes, client: str, udp: bool) -> bytes:
    return message


@pytest.fixture
async def port() -> AsyncIterator[int]:
    service = StreamService(mirror, idle=0.1, most=3)
    server = await asyncio.start_server(service.serve, ADDRESS, 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    service.close()


async def test_a_silent_connection_is_ended(port: int) -> None:
    reader, writer = await asyncio.open_connection(ADDRESS, port)
    writer.write(b"\x00")  # half of a length, then nothing
    assert await reader.read() == b""
    writer.close()


async def test_a_connection_that_asks_for_ever_is_ended(port: int) -> None:
    reader, writer = await asyncio.open_connection(ADDRESS, port)
    writer.write(b"\x00\x01x" * 5)
    assert (await reader.read())[:9] == b"\x00\x01x" * 3
    writer.close()


async def test_more_connections_than_there_are_places_are_turned_away(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 1)
    held = await asyncio.open_connection(ADDRESS, port)
    held[1].write(b"\x00\x01x")
    assert await held[0].readexactly(3) == b"\x00\x01x"
    reader, writer = await asyncio.open_connection(ADDRESS, port)
    assert await reader.read() == b""
    writer.close()
    held[1].close()


async def test_a_server_that_was_closed_can_be_started_again_with_its_records() -> None:
    names = EmbeddedNames(ADDRESS, 0)
    for _ in range(2):
        await names.start()
        _, writer = await asyncio.open_connection(ADDRESS, names.port)
        await names.close()
        writer.close()
        await asyncio.sleep(0)
