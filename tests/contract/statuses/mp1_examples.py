"""A call of every operation of Mp1 that succeeds, with all that must be there before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from hanse.refpoints.mm5.platform import GracefulEnd
from hanse.refpoints.mp1.support import OperationAction
from tests.contract.mp1_host import App, Host
from tests.contract.test_mp1 import NAME, READY, RULE
from tests.contract.test_mp1_liveness import ALIVE
from tests.contract.test_mp1_notices import KIND
from tests.contract.test_mp1_registrations import info
from tests.contract.test_mp1_services import fresh, register, service

CALLBACK = "http://127.0.0.1:9/"
TAG = "alice"
"""A UE identity tag that the host has."""

Prepared = tuple[App, dict[str, str], Any]
"""Who calls, the values of the path beside its own id, and the body."""
Example = Callable[[Host], Awaitable[Prepared]]


async def alone(host: Host) -> Prepared:
    """An app without anything."""
    return await host.app(), {}, None


async def with_service(host: Host) -> Prepared:
    """An app that offers a service and promised heartbeats."""
    name = fresh()
    app = await host.app(name)
    made = await register(app, name, livenessInterval=60)
    return app, {"service_id": made.body["serInstanceId"]}, service(name, version="2.0")


async def announcing(host: Host) -> Prepared:
    """An app that may offer a service, and will."""
    name = fresh()
    return await host.app(name), {}, service(name)


async def beating(host: Host) -> Prepared:
    """A service that sends a heartbeat."""
    app, values, _ = await with_service(host)
    return app, values, ALIVE


def _subscription(body: dict[str, Any], of: str) -> tuple[Example, Example]:
    """Who will subscribe, and who has subscribed already."""

    async def will(host: Host) -> Prepared:
        app = await host.app()
        return app, {}, body | ({"appInstanceId": app.id} if of == "support" else {})

    async def has(host: Host) -> Prepared:
        app, _, wanted = await will(host)
        made = await getattr(app, of)("POST", "/subscriptions", wanted)
        return app, {"subscription_id": made.headers["location"].rpartition("/")[2]}, None

    return will, has


availability, available = _subscription({"subscriptionType": KIND, "callbackReference": CALLBACK}, "services")
ending, ended = _subscription(
    {"subscriptionType": "AppTerminationNotificationSubscription", "callbackReference": CALLBACK}, "support"
)


async def ready(host: Host) -> Prepared:
    """An app that is up."""
    return await host.app(), {}, READY


async def terminating(host: Host) -> Prepared:
    """An app that was told of its end, and is done."""
    app = await host.app()
    await host.mm5.announce_end(app.id, GracefulEnd(action=OperationAction.TERMINATING, timeout=60))
    return app, {}, {"operationAction": "TERMINATING"}


def _ruled(kind: str, key: str, value: str) -> Example:
    async def has(host: Host) -> Prepared:
        app = await host.app(traffic=(RULE,), names=(NAME,))
        rule = (await app.support("GET", f"/{kind}/{value}")).body
        return app, {key: value}, rule | {"state": "INACTIVE"}

    return has


traffic, name = _ruled("traffic_rules", "traffic_rule_id", "in"), _ruled("dns_rules", "dns_rule_id", "name")


async def unregistered(host: Host) -> Prepared:
    """An app that registers."""
    app = await host.app()
    return app, {}, info(app)


async def registered(host: Host) -> Prepared:
    """An app that has registered."""
    app, _, wanted = await unregistered(host)
    await app.call("POST", "/mec_app_support/v2/registrations", wanted)
    return app, {}, wanted | {"appProvider": "provider"}


async def tagged(host: Host) -> Prepared:
    """An app that registers a tag."""
    return await host.app(), {}, {"ueIdentityTags": [{"ueIdentityTag": TAG, "state": 1}]}


EXAMPLES: dict[str, Example] = {
    "find_services": with_service,
    "read_service": with_service,
    "list_transports": alone,
    "find_app_services": with_service,
    "register_service": announcing,
    "read_app_service": with_service,
    "replace_service": with_service,
    "deregister_service": with_service,
    "list_availability_subscriptions": alone,
    "subscribe_to_availability": availability,
    "read_availability_subscription": available,
    "unsubscribe_from_availability": available,
    "read_liveness": with_service,
    "send_heartbeat": beating,
    "confirm_ready": ready,
    "confirm_termination": terminating,
    "list_subscriptions": alone,
    "subscribe": ending,
    "read_subscription": ended,
    "unsubscribe": ended,
    "list_traffic_rules": traffic,
    "read_traffic_rule": traffic,
    "update_traffic_rule": traffic,
    "list_dns_rules": name,
    "read_dns_rule": name,
    "update_dns_rule": name,
    "register_app": unregistered,
    "read_registration": registered,
    "replace_registration": registered,
    "deregister_app": registered,
    "timing_caps": alone,
    "current_time": alone,
    "read_tags": tagged,
    "set_tags": tagged,
}
