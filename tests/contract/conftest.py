"""What several tests of authorisation share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.world import World, begun


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """North with recording providers, for all tests of a module."""
    async with begun(tmp_path_factory.mktemp("world")) as world:
        yield world
