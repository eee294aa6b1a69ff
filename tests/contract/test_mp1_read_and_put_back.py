"""An app that reads a resource of Mp1, changes one attribute and puts the whole back is understood (MEC 009, 6.8)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.mp1_host import App, Host, Receiver, Reply, hosting
from tests.contract.test_mp1 import NAME, RULE
from tests.contract.test_mp1_liveness import ALIVE, made
from tests.contract.test_mp1_notices import KIND
from tests.contract.test_mp1_registrations import info
from tests.contract.test_mp1_services import fresh, register, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
Held = tuple[App, str]
"""An app, and a path or URI of what it holds."""
TAG = "acme:alice"
ODD_LINKS: tuple[Any, ...] = ({}, None, {"self": {}}, {"self": {"href": "https://elsewhere/"}, "liveness": {}})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """A host that knows a device by a tag."""
    async with hosting(tmp_path_factory.mktemp("host"), tags=(TAG,)) as host:
        yield host


async def of_its_own(host: Host) -> Held:
    name = fresh()
    app = await host.app(name)
    return app, (await register(app, name, livenessInterval=60)).headers["location"]


async def registration(host: Host) -> Held:
    app = await host.app()
    return app, (await app.call("POST", "/mec_app_support/v2/registrations", info(app))).headers["location"]


def rule(kind: str, key: str, version: str) -> Callable[[Host], Awaitable[Held]]:
    async def held(host: Host) -> Held:
        app = await host.app(traffic=(RULE,), names=(NAME,))
        return app, f"/mec_app_support/{version}/applications/{app.id}/{kind}/{key}"

    return held


@pytest.mark.parametrize(
    ("hold", "change"),
    [
        pytest.param(of_its_own, {"version": "9.9"}, id="service"),
        pytest.param(of_its_own, {"state": "INACTIVE"}, id="service state"),
        pytest.param(of_its_own, {"serializer": "XML"}, id="service serializer"),
        pytest.param(registration, {"appProvider": "provider"}, id="registration"),
        pytest.param(rule("traffic_rules", "in", "v2"), {"state": "INACTIVE"}, id="traffic rule state"),
        pytest.param(rule("traffic_rules", "in", "v1"), {"priority": 7}, id="traffic rule priority"),
        pytest.param(rule("dns_rules", "name", "v1"), {"state": "INACTIVE"}, id="DNS rule"),
    ],
)
async def test_what_was_read_is_put_back_with_one_change(
    host: Host, hold: Callable[[Host], Awaitable[Held]], change: dict[str, Any]
) -> None:
    app, here = await hold(host)
    read = await app.call("GET", here)
    assert await put_back(app, here, read, {}) == read.body, "nothing has changed"
    read = await app.call("GET", here)
    assert await put_back(app, here, read, change) == read.body | change


async def put_back(app: App, here: str, read: Reply, change: dict[str, Any]) -> Any:
    """What is there after a whole representation was put back, as its reader holds it."""
    put = await app.call("PUT", here, read.body | change, if_match=read.headers["etag"])
    assert put.status in (200, 204), put
    after = await app.call("GET", here)
    assert put.status == 204 or (put.body, put.headers["etag"]) == (after.body, after.headers["etag"])
    return after.body


async def test_tags_that_were_read_are_put_back_with_one_change(host: Host) -> None:
    app = await host.app()
    here = f"/ui/v1/{app.id}/ue_identity_tag_info"
    read = await app.call("GET", f"{here}?ueIdentityTag={TAG}")
    assert read.body == {"ueIdentityTags": [{"ueIdentityTag": TAG, "state": 0}]}
    read.body["ueIdentityTags"][0]["state"] = 1
    put = await app.call("PUT", here, read.body, if_match=read.headers["etag"])
    assert (put.status, put.body) == (200, read.body)
    assert (await app.call("GET", f"{here}?ueIdentityTag={TAG}")).body == read.body


async def test_what_was_read_of_liveness_is_a_sign_of_life(host: Host) -> None:
    app, _, reply = await made(host, livenessInterval=60)
    here = reply.body["_links"]["liveness"]["href"]
    read = await app.call("GET", here)
    assert (await app.call("PATCH", here, read.body | ALIVE, if_match=read.headers["etag"])).status == 204


async def test_a_subscription_that_was_read_makes_another(host: Host, receiver: Receiver) -> None:
    app = await host.app()
    first = await app.services("POST", "/subscriptions", {"subscriptionType": KIND, "callbackReference": receiver.url})
    read = await app.call("GET", first.headers["location"])
    second = await app.services("POST", "/subscriptions", read.body)
    assert second.status == 201
    assert second.body | {"_links": read.body["_links"]} == read.body
    assert second.headers["location"] != first.headers["location"]


@pytest.mark.parametrize("links", ODD_LINKS, ids=str)
async def test_links_of_a_request_are_nobodys_concern(host: Host, receiver: Receiver, links: Any) -> None:
    name = fresh()
    app = await host.app(name)
    posted = await app.services("POST", "/services", service(name) | {"_links": links})
    assert posted.status == 201, posted
    here = posted.headers["location"]
    put = await app.call("PUT", here, posted.body | {"_links": links})
    assert (put.status, put.body) == (200, posted.body)
    wanted = {"callbackReference": receiver.url, "_links": links}
    watching = await app.services("POST", "/subscriptions", wanted | {"subscriptionType": KIND})
    assert watching.body["_links"] == {"self": {"href": watching.headers["location"]}}
    ending = {"subscriptionType": "AppTerminationNotificationSubscription", "appInstanceId": app.id}
    told = await app.support("POST", "/subscriptions", wanted | ending)
    assert told.body["_links"] == {"self": {"href": told.headers["location"]}}
