"""The server that is asked for names of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.unit.drivers.names_embedded.upstream import Upstream


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    asyncio.get_running_loop().add_reader(server.socket, server.serve)
    yield server
    asyncio.get_running_loop().remove_reader(server.socket)
    server.socket.close()
