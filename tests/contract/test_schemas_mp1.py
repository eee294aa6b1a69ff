"""Mp1 under generated requests: an app that errs in any way gets a conforming refusal, and nothing has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from msgspec.structs import replace

from hanse.elements.mep import Platform
from hanse.kit.certificates import client_context
from hanse.kit.contract.declare import Api, Operation
from hanse.refpoints.mp1.support import ApplicationSupport
from tests.contract.official import official_files_or_skip
from tests.contract.schemas_asking import Server, ask_much
from tests.contract.schemas_state import state_of
from tests.contract.statuses.mp1_place import Mp1Place, mp1_place
from tests.contract.statuses.mp1_rows import APIS
from tests.contract.statuses.wish import Wish
from tests.contract.test_mp1_rules import HERE, active

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.shared, pytest.mark.timeout(600)]
OPERATIONS = [pytest.param(api, o, id=o.name) for api in APIS for o in api.operations.values()]


UPDATE = ApplicationSupport.operations["update_traffic_rule"]


async def carried_out(place: Mp1Place) -> Wish:
    """A change of a rule that the data plane carries out, and may refuse."""
    app = await active(place.host)
    values, rule = {"app_instance_id": app.id, "traffic_rule_id": "in"}, (await app.support("GET", HERE)).body
    return Wish(ApplicationSupport, UPDATE, values, rule, headers={"authorization": f"Bearer {app.token}"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    official_files_or_skip()
    async with mp1_place(tmp_path_factory.mktemp("schemas")) as place:
        wiring = place.host.built.wiring
        platform = place.host.built.part("mep.harbour")
        assert isinstance(platform, Platform)
        platform.liveness.policy = replace(platform.liveness.policy, misses=10**6)  # no service is silent too long
        place.kept[UPDATE.name] = await carried_out(place)
        store = wiring.directory / "mep.harbour.sqlite"
        tls = client_context([wiring.identities.authority_path])
        yield Server(place, place.host.base, tls, partial(state_of, store))


@pytest.mark.parametrize(("api", "operation"), OPERATIONS)
async def test_whatever_an_app_sends_the_answer_conforms(server: Server, api: type[Api], operation: Operation) -> None:
    await ask_much(server, api, operation)
