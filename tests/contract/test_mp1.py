"""Mp1, application support: what an app can rely on from its first to its last word (ETSI GS MEC 011 V3.1.1, 7)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hanse.kit.problems import Problem
from hanse.model.descriptor.traffic import (
    Action,
    DNSRuleDescriptor,
    FilterType,
    InterfaceDescriptor,
    InterfaceType,
    IpAddressType,
    TrafficFilter,
    TrafficRuleDescriptor,
)
from hanse.refpoints.mm5.platform import AppPhase, GracefulEnd, StandingQuery
from hanse.refpoints.mp1.support import OperationAction
from tests.contract.mp1_host import App, Host, Receiver, Reply, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

READY = {"indication": "READY"}
RULE = TrafficRuleDescriptor(
    traffic_rule_id="in",
    filter_type=FilterType.FLOW,
    priority=7,
    traffic_filter=(TrafficFilter(dst_address=("127.0.77.1",), dst_port=("8099",), protocol=("tcp",)),),
    action=Action.FORWARD_DECAPSULATED,
    dst_interface=(InterfaceDescriptor(interface_type=InterfaceType.IP, dst_ip_address="0.0.0.0"),),
)
NAME = DNSRuleDescriptor(
    dns_rule_id="name",
    domain_name="app.example.com",
    ip_address_type=IpAddressType.IP_V4,
    ip_address="127.0.77.1",
    ttl=60,
)


async def phase(host: Host, app: App) -> AppPhase:
    return (await host.mm5.standing(app.id, StandingQuery())).phase


class TestReady:
    async def test_an_app_that_says_it_is_ready_counts_as_ready(self, host: Host) -> None:
        app = await host.app()
        for _ in range(2):
            reply = await app.support("POST", "/confirm_ready", READY)
            assert (reply.status, reply.body) == (204, None)
            assert await phase(host, app) is AppPhase.READY

    async def test_a_body_wrapped_in_its_types_name_is_understood(self, host: Host) -> None:
        app = await host.app()
        assert (await app.support("POST", "/confirm_ready", {"AppReadyConfirmation": READY})).status == 204

    async def test_the_version_of_the_official_file_is_served_as_well(self, host: Host) -> None:
        app = await host.app()
        path = f"/mec_app_support/v1/applications/{app.id}/confirm_ready"
        assert (await app.call("POST", path, READY)).status == 204

    @pytest.mark.parametrize("body", [{}, {"indication": "STEADY"}, {"indication": None}, [], b"{", b""])
    async def test_anything_but_ready_is_refused_and_changes_nothing(self, host: Host, body: Any) -> None:
        app = await host.app()
        refused(await app.support("POST", "/confirm_ready", body), 400)
        assert await phase(host, app) is AppPhase.CONFIGURED

    async def test_an_app_that_is_ending_cannot_become_ready_again(self, host: Host) -> None:
        app = await host.app()
        await host.mm5.announce_end(app.id, GracefulEnd(action=OperationAction.TERMINATING, timeout=5))
        refused(await app.support("POST", "/confirm_ready", READY), 409, "TERMINATING")

    async def test_nobody_speaks_for_an_app_without_its_token(self, host: Host) -> None:
        app, other = await host.app(), await host.app()
        path = f"/mec_app_support/v2/applications/{app.id}/confirm_ready"
        refused(await other.call("POST", path, READY), 403, "app_instance_id")
        refused(await app.call("POST", path.replace(app.id, "unknown"), READY), 403)
        app.token += "x"
        reply = await app.call("POST", path, READY)
        refused(reply, 401)
        assert reply.headers["www-authenticate"].startswith("Bearer")
        assert await phase(host, app) is AppPhase.CONFIGURED

    async def test_an_app_that_is_forgotten_has_no_voice(self, host: Host) -> None:
        app = await host.app()
        await host.mm5.forget(app.id)
        refused(await app.support("POST", "/confirm_ready", READY), 401)

    async def test_other_methods_and_media_are_refused(self, host: Host) -> None:
        app = await host.app()
        reply = await app.support("GET", "/confirm_ready")
        refused(reply, 405, "POST")
        assert reply.headers["allow"] == "POST"
        refused(await app.support("POST", "/confirm_ready", READY, content_type="text/plain"), 415, "application/json")
        refused(await app.support("GET", "/dns_rules", accept="text/html"), 406, "application/json")
        refused(await app.support("GET", "/nothing"), 404)
        refused(await app.support("GET", "/dns_rules?fresh=yes"), 400, "fresh")


class TestTermination:
    async def subscribed(self, app: App, url: str) -> Reply:
        wanted = {
            "subscriptionType": "AppTerminationNotificationSubscription",
            "callbackReference": url,
            "appInstanceId": app.id,
        }
        return await app.support("POST", "/subscriptions", wanted)

    async def test_an_app_is_told_of_its_end_and_its_confirmation_counts_once(
        self, host: Host, receiver: Receiver
    ) -> None:
        app = await host.app()
        subscription = await self.subscribed(app, receiver.url)
        refused(await self.confirm(app, "TERMINATING"), 409, "AppTerminationNotification")
        await host.mm5.announce_end(app.id, GracefulEnd(action=OperationAction.TERMINATING, timeout=9))
        (told,) = await receiver.wait(1)
        assert (told["notificationType"], told["operationAction"]) == ("AppTerminationNotification", "TERMINATING")
        assert told["maxGracefulTimeout"] == 9
        assert told["_links"]["subscription"]["href"] == subscription.headers["location"]
        refused(await self.confirm(app, "STOPPING"), 409, "TERMINATING")
        refused(await self.confirm(app, "SLEEPING"), 400, "STOPPING", "TERMINATING")
        reply = await app.call("POST", told["_links"]["confirmTermination"]["href"], {"operationAction": "TERMINATING"})
        assert (reply.status, reply.body) == (204, None)
        assert await phase(host, app) is AppPhase.CONFIRMED
        refused(await self.confirm(app, "TERMINATING"), 409)

    async def test_a_stop_is_confirmed_by_either_spelling_of_the_standard(self, host: Host, receiver: Receiver) -> None:
        for number, spelling in enumerate(("STOPPING", "STOPPPING"), 1):
            app = await host.app()
            await self.subscribed(app, receiver.url)
            await host.mm5.announce_end(app.id, GracefulEnd(action=OperationAction.STOPPING, timeout=1))
            assert (await receiver.wait(number))[-1]["operationAction"] == "STOPPING"
            assert (await self.confirm(app, spelling)).status == 204

    async def test_an_announcement_said_twice_is_told_once(self, host: Host, receiver: Receiver) -> None:
        app = await host.app()
        await self.subscribed(app, receiver.url)
        for _ in range(2):
            await host.mm5.announce_end(app.id, GracefulEnd(action=OperationAction.TERMINATING, timeout=9))
        await receiver.wait(1)
        await asyncio.sleep(0.2)
        assert len(receiver.got) == 1

    async def test_a_subscription_is_made_read_listed_and_ended(self, host: Host, receiver: Receiver) -> None:
        app = await host.app()
        made = await self.subscribed(app, receiver.url)
        assert made.status == 201
        here = made.headers["location"]
        assert made.body["_links"]["self"]["href"] == here
        assert here.startswith(f"{host.base}/mec_app_support/v2/applications/{app.id}/subscriptions/")
        assert (await app.call("GET", here)).body == made.body
        listed = (await app.support("GET", "/subscriptions")).body
        entry = {"href": here, "subscriptionType": "AppTerminationNotificationSubscription"}
        assert listed["_links"]["subscriptions"] == [entry]
        reply = await app.call("PUT", here, made.body)
        refused(reply, 405)
        assert reply.headers["allow"] == "DELETE, GET, HEAD"
        assert (await app.call("DELETE", here)).status == 204
        refused(await app.call("GET", here), 404)
        refused(await app.call("DELETE", here), 404)
        assert (await host.mm5.standing(app.id, StandingQuery())).listens is False

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({"subscriptionType": "SerAvailabilityNotificationSubscription"}, "subscriptionType"),
            ({"appInstanceId": "another"}, "appInstanceId"),
            ({"callbackReference": "ftp://127.0.0.1/"}, "callbackReference"),
            ({"callbackReference": "http://user:secret@127.0.0.1/"}, "callbackReference"),
            ({"callbackReference": "/callback"}, "callbackReference"),
            ({"callbackReference": 5}, "callbackReference"),
            ({"callbackReference": None}, "callbackReference"),
        ],
    )
    async def test_a_subscription_that_cannot_work_is_refused(
        self, host: Host, change: dict[str, Any], word: str
    ) -> None:
        app = await host.app()
        wanted = {
            "subscriptionType": "AppTerminationNotificationSubscription",
            "callbackReference": "http://127.0.0.1:9/",
            "appInstanceId": app.id,
        }
        refused(await app.support("POST", "/subscriptions", wanted | change), 400, word)
        assert (await app.support("GET", "/subscriptions")).body["_links"].get("subscriptions", []) == []

    async def confirm(self, app: App, action: str) -> Reply:
        return await app.support("POST", "/confirm_termination", {"operationAction": action})


class TestRules:
    async def app(self, host: Host) -> App:
        app = await host.app(traffic=(RULE,), names=(NAME,))
        await host.mm5.activate(app.id)
        return app

    async def installed(self, host: Host, app: App) -> list[str]:
        plane, names = await host.data_plane.forwardings(), await host.names.records()
        return [f.rule_id.split(".")[-1] for f in plane if f.owner == app.id] + [
            n.record_id.split(".")[-1] for n in names if n.owner == app.id
        ]

    @pytest.mark.parametrize(("kind", "key"), [("traffic_rules", "in"), ("dns_rules", "name")])
    async def test_a_rule_is_carried_out_exactly_while_it_is_active(self, host: Host, kind: str, key: str) -> None:
        app = await self.app(host)
        (listed,) = (await app.support("GET", f"/{kind}")).body
        read = await app.support("GET", f"/{kind}/{key}")
        assert (read.status, read.body, read.body["state"]) == (200, listed, "ACTIVE")
        assert key in await self.installed(host, app)
        off = await app.support("PUT", f"/{kind}/{key}", read.body | {"state": "INACTIVE"})
        assert (off.status, off.body["state"]) == (200, "INACTIVE")
        assert key not in await self.installed(host, app)
        assert off.headers["etag"] != read.headers["etag"]
        assert (await app.support("GET", f"/{kind}/{key}")).body == off.body
        assert (await app.support("PUT", f"/{kind}/{key}", read.body)).status == 200
        assert key in await self.installed(host, app)
        await host.mm5.forget(app.id)
        assert await self.installed(host, app) == []

    @pytest.mark.parametrize(("kind", "key"), [("traffic_rules", "in"), ("dns_rules", "name")])
    async def test_a_change_made_meanwhile_is_not_overwritten(self, host: Host, kind: str, key: str) -> None:
        app = await self.app(host)
        path = f"/{kind}/{key}"
        read = await app.support("GET", path)
        tag, off = read.headers["etag"], read.body | {"state": "INACTIVE"}
        unchanged = await app.support("GET", path, if_none_match=tag)
        assert (unchanged.status, unchanged.body, unchanged.headers["etag"]) == (304, None, tag)
        for wrong in ('"another"', f"W/{tag}"):
            refused(await app.support("PUT", path, off, if_match=wrong), 412)
        assert (await app.support("GET", path)).body == read.body
        assert (await app.support("PUT", path, off, if_match=f'"another", {tag}')).status == 200
        refused(await app.support("PUT", path, read.body, if_match=tag), 412)
        assert (await app.support("PUT", path, read.body, if_match="*")).status == 200
        assert (await app.support("GET", path, if_none_match='"another"')).status == 200

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({"trafficRuleId": "other"}, "trafficRuleId"),
            ({"priority": 256}, "priority"),
            ({"priority": -1}, "priority"),
            ({"trafficFilter": []}, "trafficFilter"),
            ({"action": "DROP"}, "dstInterface"),
            ({"action": "DUPLICATE_DECAPSULATED"}, "dstInterface"),
            ({"dstInterface": []}, "dstInterface"),
            ({"action": "TELEPORT"}, "PASSTHROUGH"),
            ({"state": "RESTING"}, "INACTIVE"),
            ({"filterType": "BYTE"}, "PACKET"),
        ],
    )
    async def test_a_traffic_rule_that_cannot_be_is_refused(
        self, host: Host, change: dict[str, Any], word: str
    ) -> None:
        app = await self.app(host)
        read = (await app.support("GET", "/traffic_rules/in")).body
        refused(await app.support("PUT", "/traffic_rules/in", read | change), 400, word)
        assert (await app.support("GET", "/traffic_rules/in")).body == read

    @pytest.mark.parametrize("change", [{"domainName": "bank.example.com"}, {"ipAddress": "127.0.77.9"}, {"ttl": 9}])
    async def test_of_a_dns_rule_only_the_state_changes(self, host: Host, change: dict[str, Any]) -> None:
        app = await self.app(host)
        read = (await app.support("GET", "/dns_rules/name")).body
        refused(await app.support("PUT", "/dns_rules/name", read | change), 400, "state")
        assert (await app.support("GET", "/dns_rules/name")).body == read

    async def test_rules_come_from_the_descriptor_only(self, host: Host) -> None:
        app = await self.app(host)
        for kind, key in (("traffic_rules", "in"), ("dns_rules", "name")):
            rule = (await app.support("GET", f"/{kind}/{key}")).body
            refused(await app.support("PUT", f"/{kind}/unknown", rule | {"trafficRuleId": "unknown"}), 404)
            refused(await app.support("GET", f"/{kind}/unknown"), 404)
            refused(await app.support("POST", f"/{kind}", rule), 405)
            refused(await app.support("DELETE", f"/{kind}/{key}"), 405)


async def test_the_platform_answers_its_manager_for_no_app_that_is_gone(host: Host) -> None:
    app = await host.app()
    await host.mm5.forget(app.id)
    with pytest.raises(Problem) as refusal:
        await host.mm5.activate(app.id)
    assert refusal.value.status == 404
