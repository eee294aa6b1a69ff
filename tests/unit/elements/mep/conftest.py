"""A platform whose outbox delivers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.elements.mep.parts import Bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.outbox.start()
    yield made
    await made.outbox.close()
    made.store.close()
