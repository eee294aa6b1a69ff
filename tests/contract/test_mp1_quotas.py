"""One app cannot fill the platform: beyond its quota it is refused, others are not, and what it frees it has again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from hanse.assembly.limits import LimitSettings
from tests.contract.mp1_host import App, Host, Reply, hosting, refused
from tests.contract.test_mp1 import RULE
from tests.contract.test_mp1_services import register, service

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST = 3
LARGE = "x" * 2048
TAGS = ("tag-a", "tag-b", "tag-c")
OWN = "http://127.0.0.9:9/told"
Add = Callable[[App], Awaitable[Reply]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """A host where an app may have three of everything and two tags, none larger than 2 KiB."""
    limits = LimitSettings(app_services=MOST, app_subscriptions=MOST, app_tags=2, app_record_bytes=2048)
    async with hosting(tmp_path_factory.mktemp("quotas"), limits, tags=TAGS) as host:
        yield host


async def add_service(app: App) -> Reply:
    return await register(app, "speech")


async def add_availability(app: App, **more: Any) -> Reply:
    wanted = {"subscriptionType": "SerAvailabilityNotificationSubscription", "callbackReference": OWN}
    return await app.services("POST", "/subscriptions", wanted | more)


async def add_termination(app: App) -> Reply:
    wanted = {"subscriptionType": "AppTerminationNotificationSubscription", "appInstanceId": app.id}
    return await app.support("POST", "/subscriptions", wanted | {"callbackReference": OWN})


KINDS = [
    (add_service, "Too many services", "limits.app_services"),
    (add_availability, "Too many subscriptions", "limits.app_subscriptions"),
    (add_termination, "Too many subscriptions", "limits.app_subscriptions"),
]


@pytest.mark.parametrize(("add", "title", "setting"), KINDS)
async def test_an_app_has_its_quota_and_no_more_until_it_gives_something_up(
    host: Host, add: Add, title: str, setting: str
) -> None:
    app, other = await host.app("speech"), await host.app("speech")
    made = [await add(app) for _ in range(MOST)]
    assert [reply.status for reply in made] == [201] * MOST
    for _ in range(2):
        refused(await add(app), 403, title, f"at most {MOST}", setting)
    assert (await add(other)).status == 201, "another app has a quota of its own"
    assert (await app.call("DELETE", made[0].headers["location"])).status == 204
    assert (await add(app)).status == 201
    refused(await add(app), 403, title)


@pytest.mark.parametrize(("add", "title", "setting"), KINDS)
async def test_asking_for_many_at_once_gets_no_more(host: Host, add: Add, title: str, setting: str) -> None:
    app = await host.app("speech")
    replies = await asyncio.gather(*(add(app) for _ in range(3 * MOST)))
    assert sorted(reply.status for reply in replies) == [201] * MOST + [403] * 2 * MOST
    assert {reply.body["title"] for reply in replies if reply.status == 403} == {title}
    assert all(setting in reply.body["detail"] for reply in replies if reply.status == 403)


async def test_what_is_there_may_be_replaced_when_there_is_no_room(host: Host) -> None:
    app = await host.app("speech")
    made = [await add_service(app) for _ in range(MOST)]
    path = f"/services/{made[0].body['serInstanceId']}"
    assert (await app.services("PUT", path, made[0].body | {"version": "2.0"})).status == 200


async def test_tags_are_counted_when_they_are_registered_together_or_one_by_one(host: Host) -> None:
    app = await host.app()
    path = f"/ui/v1/{app.id}/ue_identity_tag_info"

    async def put(*states: int) -> Reply:
        tags = [{"ueIdentityTag": tag, "state": state} for tag, state in zip(TAGS, states, strict=False)]
        return await app.call("PUT", path, {"ueIdentityTags": tags})

    refused(await put(1, 1, 1), 403, "Too many ueIdentityTags", "at most 2", "limits.app_tags")
    assert (await put(1, 1)).status == 200
    refused(await put(1, 1, 1), 403, "Too many ueIdentityTags")
    asked = await app.call("GET", f"{path}?ueIdentityTag={'&ueIdentityTag='.join(TAGS)}")
    assert [tag["state"] for tag in asked.body["ueIdentityTags"]] == [1, 1, 0], "nothing was changed"
    assert (await put(0, 1, 1)).status == 200


async def test_one_record_does_not_fill_the_platform_either(host: Host) -> None:
    app = await host.app("speech")
    words = ("too large", "2048 bytes", "limits.app_record_bytes")
    refused(await register(app, "speech", version=LARGE), 413, "Service", *words)
    made = await add_service(app)
    path = f"/services/{made.body['serInstanceId']}"
    refused(await app.services("PUT", path, service("speech") | {"version": LARGE}), 413, "Service", *words)
    criteria = {"serNames": [LARGE]}
    refused(await add_availability(app, filteringCriteria=criteria), 413, "Subscription", *words)
    own: dict[str, Any] = {"appName": "app", "appProvider": "provider", "appDId": "descriptor", "appInstanceId": app.id}
    own |= {"isInsByMec": True, "appProfile": {"note": LARGE}}
    refused(await app.call("POST", "/mec_app_support/v2/registrations", own), 413, "Registration", *words)
    small = own | {"appProfile": {"note": "x"}}
    assert (await app.call("POST", "/mec_app_support/v2/registrations", small)).status == 201
    here = f"/mec_app_support/v2/registrations/{app.id}"
    refused(await app.call("PUT", here, own), 413, "Registration", *words)
    deep: Any = 1
    for _ in range(60):
        deep = {"a": deep}
    profile = own | {"appProfile": deep}
    refused(await app.call("PUT", here, profile), 400, "Registration nested too deeply", "50 levels")
    assert len((await app.services("GET", "/services")).body) == 1


async def test_a_traffic_rule_does_not_grow_without_end(host: Host) -> None:
    app = await host.app(traffic=(RULE,))
    [rule] = (await app.support("GET", "/traffic_rules")).body
    path = f"/traffic_rules/{rule['trafficRuleId']}"
    large = rule | {"trafficFilter": rule["trafficFilter"] * 100}
    refused(await app.support("PUT", path, large), 413, "Traffic rule too large", "limits.app_record_bytes")
    assert (await app.support("GET", path)).body == rule
