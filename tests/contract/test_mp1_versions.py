"""Application support answers in the terms in which it was asked: v1 of the official file, v2 of the text (7.2.2)."""

from __future__ import annotations

import pytest

from hanse.refpoints.mm5.platform import GracefulEnd
from hanse.refpoints.mp1.support import OperationAction
from tests.contract.mp1_host import App, Host, Receiver, Reply

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("base", ["/mec_app_support/v1", "/mec_app_support/v2"]),
]


async def subscribed(app: App, base: str, callback: str) -> Reply:
    """The app asks below ``base`` to be told of its end."""
    kind = "AppTerminationNotificationSubscription"
    body = {"subscriptionType": kind, "callbackReference": callback, "appInstanceId": app.id}
    return await app.call("POST", f"{base}/applications/{app.id}/subscriptions", body)


async def test_a_subscription_leads_below_the_base_by_which_it_is_looked_at(
    host: Host, receiver: Receiver, base: str
) -> None:
    app = await host.app()
    made = await subscribed(app, base, receiver.url)
    here = f"{host.base}{base}/applications/{app.id}/subscriptions"
    assert made.headers["location"].startswith(f"{here}/")
    assert made.body["_links"]["self"]["href"] == made.headers["location"]
    for asked in ("/mec_app_support/v1", "/mec_app_support/v2"):
        links = (await app.call("GET", f"{asked}/applications/{app.id}/subscriptions")).body["_links"]
        assert links["self"]["href"] == here.replace(base, asked)
        own = made.headers["location"].replace(base, asked)
        assert [entry["href"] for entry in links["subscriptions"]] == [own]
        assert (await app.call("GET", own)).body["_links"]["self"]["href"] == own


async def test_a_registration_is_placed_below_the_base_by_which_it_was_made(host: Host, base: str) -> None:
    app = await host.app()
    info = {"appName": "app", "isInsByMec": True, "appDId": "descriptor", "appInstanceId": app.id}
    made = await app.call("POST", f"{base}/registrations", info)
    assert made.headers["location"] == f"{host.base}{base}/registrations/{app.id}"


async def test_the_notice_of_an_end_leads_back_below_the_base_of_its_subscription(
    host: Host, receiver: Receiver, base: str
) -> None:
    app = await host.app()
    made = await subscribed(app, base, receiver.url)
    await host.mm5.announce_end(app.id, GracefulEnd(action=OperationAction.STOPPING, timeout=9))
    (told,) = await receiver.wait(1)
    assert told["_links"]["subscription"]["href"] == made.headers["location"]
    confirm = told["_links"]["confirmTermination"]["href"]
    assert confirm == f"{host.base}{base}/applications/{app.id}/confirm_termination"
    assert (await app.call("POST", confirm, {"operationAction": "STOPPING"})).status == 204
