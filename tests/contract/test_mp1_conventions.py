"""Mp1 keeps what every MEC API promises its users: names of types, entity tags, challenges (ETSI GS MEC 009)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.mp1_host import App, Host, Receiver, refused
from tests.contract.test_mp1_registrations import info

pytestmark = pytest.mark.asyncio(loop_scope="module")
REGISTRATIONS = "/mec_app_support/v2/registrations"


async def registered(host: Host) -> tuple[App, str, dict[str, Any]]:
    app = await host.app()
    wanted = info(app)
    made = await app.call("POST", REGISTRATIONS, wanted)
    assert made.status == 201, made
    return app, made.headers["etag"], wanted


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("services", "SerAvailabilityNotificationSubscription"),
        ("support", "AppTerminationNotificationSubscription"),
    ],
)
async def test_a_subscription_wrapped_in_the_name_of_its_type_is_taken_and_answered_bare(
    host: Host, receiver: Receiver, api: str, kind: str
) -> None:
    app = await host.app()
    wanted = {"subscriptionType": kind, "callbackReference": receiver.url}
    if api == "support":
        wanted["appInstanceId"] = app.id
    made = await getattr(app, api)("POST", "/subscriptions", {kind: wanted})
    assert (made.status, made.body["subscriptionType"]) == (201, kind)


async def test_the_registry_holds_what_apps_offer_and_all_else_lies_beside_it(host: Host) -> None:
    app = await host.app()
    registry = await app.call("GET", "/mec_service_mgmt/v1/services")
    assert (registry.status, registry.body) == (200, [])
    assert (await app.call("GET", "/mec_app_support/v2/timing/current_time")).status == 200
    refused(await app.call("GET", f"/ui/v1/{app.id}/ue_identity_tag_info?ueIdentityTag=nobody"), 404, "nobody")


@pytest.mark.parametrize("authorization", ["", "Basic YTpi"])
async def test_who_shows_no_token_is_asked_for_one_and_told_of_no_error(host: Host, authorization: str) -> None:
    app = await host.app()
    reply = await app.call("GET", "/mec_service_mgmt/v1/services", authorization=authorization)
    refused(reply, 401)
    assert reply.headers["www-authenticate"] == "Bearer"


async def test_who_shows_a_token_that_does_not_hold_is_told_so(host: Host) -> None:
    app = await host.app()
    reply = await app.call("GET", "/mec_service_mgmt/v1/services", authorization=f"Bearer {app.token[:-4]}AAAA")
    refused(reply, 401)
    assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_a_registration_has_a_tag_that_changes_with_it(host: Host) -> None:
    app, tag, wanted = await registered(host)
    here = f"{REGISTRATIONS}/{app.id}"
    assert (await app.call("GET", here)).headers["etag"] == tag
    assert (await app.call("GET", here, if_none_match=tag)).status == 304
    assert (await app.call("PUT", here, wanted | {"appProvider": "provider"}, if_match=tag)).status == 204
    assert (await app.call("GET", here)).headers["etag"] != tag


async def test_who_holds_an_old_registration_neither_replaces_nor_withdraws_the_new_one(host: Host) -> None:
    app, tag, wanted = await registered(host)
    here = f"{REGISTRATIONS}/{app.id}"
    newer = wanted | {"appProvider": "provider"}
    assert (await app.call("PUT", here, newer)).status == 204
    refused(await app.call("PUT", here, wanted | {"appInstanceId": "another"}, if_match=tag), 412, "If-Match")
    refused(await app.call("DELETE", here, if_match=tag), 412, "If-Match")
    assert (await app.call("GET", here)).body == newer
    assert (await app.call("DELETE", here, if_match="*")).status == 204


async def test_who_holds_old_tags_learns_that_before_what_is_wrong_with_the_new_ones(host: Host) -> None:
    app = await host.app()
    twice = {"ueIdentityTags": [{"ueIdentityTag": "x", "state": 1}, {"ueIdentityTag": "x", "state": 0}]}
    here = f"/ui/v1/{app.id}/ue_identity_tag_info"
    refused(await app.call("PUT", here, twice, if_match='"another"'), 412, "If-Match")
    refused(await app.call("PUT", here, twice), 400, "twice")
