"""The server that is asked for names of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hanse.drivers.names_embedded import driver, forwarding
from tests.bounds import SOON
from tests.unit.drivers.names_embedded.upstream import Upstream


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """So long that no busy machine has a question asked twice; who tests the patience itself says how long it is."""
    monkeypatch.setattr(forwarding, "PATIENCE", 2 * SOON)
    monkeypatch.setattr(driver, "MOST_SECONDS", 4 * SOON)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    asyncio.get_running_loop().add_reader(server.socket, server.serve)
    yield server
    asyncio.get_running_loop().remove_reader(server.socket)
    server.socket.close()
