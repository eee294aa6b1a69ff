"""An app can neither read nor change what is another's, by its own path or by that of the other."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from hanse.kit.contract.declare import Api, Operation
from hanse.refpoints.mm5.platform import GracefulEnd
from hanse.refpoints.mp1 import Mp1
from hanse.refpoints.mp1.services import ServiceManagement
from hanse.refpoints.mp1.support import ApplicationSupport, OperationAction
from tests.contract.mp1_host import App, Host, receiving, refused
from tests.contract.samples import arguments_of
from tests.contract.test_mp1 import NAME, RULE
from tests.contract.test_mp1_notices import subscribe
from tests.contract.test_mp1_services import register, service

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCOPED = [
    (api, operation)
    for api in (ApplicationSupport, ServiceManagement)
    for operation in api.operations.values()
    if "app_instance_id" in operation.path_parameters
]
NAMED = [
    (offer.api, operation)
    for offer in Mp1.offers
    for operation in offer.api.operations.values()
    if "app_instance_id" in operation.path_parameters
]
KEYED = [(api, operation) for api, operation in SCOPED if len(operation.path_parameters) > 1]


@dataclass
class Victim:
    """An app with one of everything, and the keys by which its resources are known."""

    app: App
    keys: dict[type[Api], dict[str, str]]

    async def belongings(self) -> list[Any]:
        """All that the app has, as it sees it itself."""
        kinds = ("/traffic_rules", "/dns_rules", "/subscriptions")
        own = [(await self.app.support("GET", kind)).body for kind in kinds]
        return own + [(await self.app.services("GET", kind)).body for kind in ("/services", "/subscriptions")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def victim(host: Host) -> AsyncIterator[Victim]:
    app = await host.app("treasure", traffic=(RULE,), names=(NAME,))
    async with receiving() as own:
        wanted = {"subscriptionType": "AppTerminationNotificationSubscription", "appInstanceId": app.id}
        termination = await app.support("POST", "/subscriptions", wanted | {"callbackReference": own.url})
        availability = await subscribe(app, own.url)
        made = await register(app, "treasure")
        await host.mm5.announce_end(app.id, GracefulEnd(action=OperationAction.TERMINATING, timeout=60))
        last = [reply.headers["location"].rpartition("/")[2] for reply in (termination, availability)]
        rules = {"traffic_rule_id": "in", "dns_rule_id": "name"}
        services = {"service_id": made.body["serInstanceId"], "subscription_id": last[1]}
        yield Victim(app, {ApplicationSupport: rules | {"subscription_id": last[0]}, ServiceManagement: services})


def named(parameter: Any) -> str:
    return parameter.name if isinstance(parameter, Operation) else parameter.__name__


async def attempted(victim: Victim, thief: App, api: type[Api], operation: Operation, path: dict[str, str]) -> Any:
    """The operation as ``thief`` calls it, with a body that would be taken from the owner."""
    target = api.api_bases[0] + operation.path
    for name, value in path.items():
        target = target.replace("{" + name + "}", value)
    body = None
    if operation.body_parameter is not None:
        body = msgspec.to_builtins(arguments_of(operation, path)[operation.body_parameter])
        if operation.name == "replace_service":
            body = service("treasure")
        elif operation.name.startswith("update"):
            own = operation.path.partition("}")[2].replace("{", "").replace("}", "")
            for name, value in victim.keys[api].items():
                own = own.replace(name, value)
            body = (await victim.app.support("GET", own)).body | {"state": "INACTIVE"}
    return await thief.call(operation.method, target, body)


@pytest.mark.parametrize(("api", "operation"), SCOPED, ids=named)
async def test_anothers_path_is_closed(host: Host, victim: Victim, api: type[Api], operation: Operation) -> None:
    thief, before = await host.app("treasure"), await victim.belongings()
    path = victim.keys[api] | {"app_instance_id": victim.app.id}
    refused(await attempted(victim, thief, api, operation, path), 403, "app_instance_id")
    assert await victim.belongings() == before


@pytest.mark.parametrize(("api", "operation"), KEYED, ids=named)
async def test_anothers_resource_is_not_there_below_ones_own_path(
    host: Host, victim: Victim, api: type[Api], operation: Operation
) -> None:
    thief, before = await host.app("treasure"), await victim.belongings()
    path = victim.keys[api] | {"app_instance_id": thief.id}
    reply = await attempted(victim, thief, api, operation, path)
    refused(reply, 404)
    assert "127.0.77.1" not in str(reply.body)
    assert await victim.belongings() == before


@pytest.mark.parametrize(("api", "operation"), NAMED, ids=named)
async def test_whether_another_app_is_there_is_not_told(
    host: Host, victim: Victim, api: type[Api], operation: Operation
) -> None:
    thief, told = await host.app("treasure"), []
    for other in (victim.app.id, str(uuid.uuid4()), "never-there"):
        path = dict.fromkeys(operation.path_parameters, "something") | {"app_instance_id": other}
        values = arguments_of(operation, path)
        body = msgspec.to_builtins(values[operation.body_parameter]) if operation.body_parameter else None
        target = api.api_bases[0] + operation.path
        for name in operation.path_parameters:
            target = target.replace("{" + name + "}", path[name])
        reply = await thief.call(operation.method, target, body)
        told.append((reply.status, reply.body))
    assert told[0][0] == 403
    assert told == [told[0]] * 3, "the answer is the same whether it is there or not"


async def test_a_list_shows_nothing_of_anothers(host: Host, victim: Victim) -> None:
    thief = await host.app()
    for own in (thief.support, thief.services):
        assert (await own("GET", "/subscriptions")).body["_links"].get("subscriptions", []) == []
    assert (await thief.services("GET", "/services")).body == []
    assert (await thief.support("GET", "/traffic_rules")).body == []
    assert (await thief.support("GET", "/dns_rules")).body == []
