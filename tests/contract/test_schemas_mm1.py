"""Mm1, and granting on Mm3, under generated requests: every answer conforms, and no refusal has changed anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from hanse.kit.certificates import client_context
from hanse.kit.contract.declare import Api, Operation
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mm3.granting import Granting
from tests.bounds import SOON
from tests.contract.official import official_files_or_skip
from tests.contract.schemas_asking import Server, ask_much
from tests.contract.schemas_state import state_of
from tests.contract.statuses.mm1_place import Mm1Place, mm1_place

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.shared, pytest.mark.timeout(600)]
APIS: tuple[type[Api], ...] = (Granting, Lifecycle, PackageManagement)
"""Packages last: they are disabled then, and no instance can be made of them any more."""
OPERATIONS = [pytest.param(api, o, id=o.name) for api in APIS for o in api.operations.values()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[type[Api], Server]]:
    official_files_or_skip()
    directory = tmp_path_factory.mktemp("schemas")
    async with mm1_place(directory) as place:
        identities = place.system.identities
        state = partial(state_of, directory / "system" / "north" / "meo.sqlite")
        tls = {
            name: client_context([identities.authority_path], identities.issue(name))
            for name in ("oss", "mepm.harbour")
        }
        users = {PackageManagement: "oss", Lifecycle: "oss", Granting: "mepm.harbour"}
        yield {api: Server(place, place.system.base, tls[user], state) for api, user in users.items()}


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def settled(servers: dict[type[Api], Server]) -> AsyncIterator[None]:
    """What was accepted goes on by itself: the next test, which looks at all that is kept, begins when it has ended."""
    yield
    place = servers[Lifecycle].place
    assert isinstance(place, Mm1Place)
    for goes_on in (
        "/app_lcm/v1/app_lcm_op_occs?filter=(nin,operationState,COMPLETED,FAILED)",
        "/app_pkgm/v1/app_packages?filter=(nin,onboardingState,CREATED,ONBOARDED)",
    ):
        async with asyncio.timeout(3 * SOON):
            while (await place.system.call("GET", goes_on)).body != []:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(("api", "operation"), OPERATIONS)
async def test_whatever_is_sent_the_answer_conforms(
    servers: dict[type[Api], Server], api: type[Api], operation: Operation
) -> None:
    await ask_much(servers[api], api, operation)
