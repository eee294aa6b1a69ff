"""An app that calls without end is told to wait; the platform's manager and other apps are served as before."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hanse.assembly.limits import LimitSettings
from tests.contract.mp1_host import Host, hosting, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICES = "/mec_service_mgmt/v1/services"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """A host where an app may call five times, and then once in a hundred seconds."""
    async with hosting(tmp_path_factory.mktemp("strict"), LimitSettings(requests_per_second=0.01, burst=5)) as host:
        yield host


async def test_an_app_beyond_its_rate_is_told_when_to_come_again(strict: Host) -> None:
    greedy, modest = await strict.app(), await strict.app()
    for _ in range(5):
        assert (await greedy.call("GET", SERVICES)).status == 200
    for path in (SERVICES, "/mec_app_support/v2/timing/current_time", "/nothing/here"):
        reply = await greedy.call("GET", path)
        refused(reply, 429, "come again")
        assert 1 <= int(reply.headers["retry-after"]) <= 100
    assert (await modest.call("GET", SERVICES)).status == 200
    greedy.token = "none"
    refused(await greedy.call("GET", SERVICES), 401)


async def test_elements_of_the_operator_are_not_held_back(strict: Host) -> None:
    for _ in range(20):
        await strict.app()  # the manager configures it over Mm5
