"""Mm1 and granting: every operation gives each status of the tables, and its problems name what is at fault."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.statuses.mm1_place import Mm1Place, mm1_place
from tests.contract.statuses.mm1_rows import ROWS
from tests.contract.statuses.row import Row

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mm1Place]:
    async with mm1_place(tmp_path_factory.mktemp("statuses")) as place:
        yield place


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_oss_is_answered_as_the_tables_say(place: Mm1Place, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    await row.check(place, monkeypatch)
