"""A manager whose outbox delivers, with the instance ``one`` in its charge."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.elements.mepm.parts import Bench, assignment


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.outbox.start()
    await made.manager.assign("one", assignment())
    yield made
    await made.outbox.close()
    made.store.close()
