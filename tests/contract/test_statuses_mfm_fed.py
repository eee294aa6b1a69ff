"""Mfm-fed: every operation gives each status of the tables, as a problem that names the field or header at fault."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.statuses.mfm_fed_place import ROWS, MfmFedPlace, mfm_fed_place
from tests.contract.statuses.row import Row

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MfmFedPlace]:
    async with mfm_fed_place(tmp_path_factory.mktemp("statuses")) as place:
        yield place


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_orchestrator_is_answered_as_the_tables_say(
    place: MfmFedPlace, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    await row.check(place, monkeypatch)
