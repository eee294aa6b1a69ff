"""Mfm-fed under generated requests: every answer conforms, and no refusal has changed anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from hanse.kit.certificates import client_context
from hanse.kit.contract.declare import Operation
from hanse.refpoints.mfm_fed.system_info import FederationEnablement
from tests.contract.official import official_files_or_skip
from tests.contract.schemas_asking import Server, ask_much
from tests.contract.schemas_state import state_of
from tests.contract.statuses.mfm_fed_place import mfm_fed_place

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.shared, pytest.mark.timeout(600)]
OPERATIONS = FederationEnablement.operations.values()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    official_files_or_skip()
    directory = tmp_path_factory.mktemp("schemas")
    async with mfm_fed_place(directory) as place:
        state = partial(state_of, directory / "north" / "north" / "federation_manager.sqlite")
        tls = client_context([place.identities.authority_path], place.identities.issue("meo"))
        yield Server(place, place.callers.base, tls, state)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_whatever_an_orchestrator_sends_the_answer_conforms(server: Server, operation: Operation) -> None:
    await ask_much(server, FederationEnablement, operation)
