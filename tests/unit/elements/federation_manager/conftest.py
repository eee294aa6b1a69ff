"""Two managers that begin to form a federation when a test starts them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.elements.federation_manager.parts import Bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    await made.close()
