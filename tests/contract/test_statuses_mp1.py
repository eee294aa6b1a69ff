"""Mp1: every operation gives each status of the tables, as a problem that names the field or header at fault."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.statuses.mp1_place import Mp1Place, mp1_place
from tests.contract.statuses.mp1_rows import ROWS
from tests.contract.statuses.row import Row

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mp1Place]:
    async with mp1_place(tmp_path_factory.mktemp("statuses")) as place:
        yield place


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_app_is_answered_as_the_tables_say(place: Mp1Place, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    await row.check(place, monkeypatch)
