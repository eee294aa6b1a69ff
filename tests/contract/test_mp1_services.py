"""Mp1, service management: how services are announced, found and changed (ETSI GS MEC 011 V3.1.1, 8)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.contract.mp1_host import App, Host, Reply, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRANSPORT = {
    "id": "t",
    "name": "REST",
    "type": "REST_HTTP",
    "protocol": "HTTP",
    "version": "1.1",
    "endpoint": {"uris": ["http://127.0.0.9:8080/"]},
    "security": {},
}
CATEGORY = {"href": "https://example.com/c", "id": "speech", "name": "Speech", "version": "1"}


def service(name: str, **more: Any) -> dict[str, Any]:
    known = {"serName": name, "version": "1.0", "state": "ACTIVE", "serializer": "JSON", "transportInfo": TRANSPORT}
    return {key: value for key, value in (known | more).items() if value is not None}


async def register(app: App, name: str, **more: Any) -> Reply:
    return await app.services("POST", "/services", service(name, **more))


async def found(app: App, query: str) -> list[str]:
    reply = await app.call("GET", f"/mec_service_mgmt/v1/services{query}")
    assert reply.status == 200, reply
    return sorted(one["serName"] for one in reply.body)


def fresh() -> str:
    return f"service-{uuid.uuid4().hex[:8]}"


class TestRegistration:
    async def test_a_registered_service_is_answered_whole_with_its_defaults(self, host: Host) -> None:
        name = fresh()
        app = await host.app(name)
        made = await register(app, name, serCategory=CATEGORY, isLocal=False)
        assert made.status == 201
        identifier = made.body["serInstanceId"]
        assert str(uuid.UUID(identifier)) == identifier
        assert made.headers["location"].endswith(f"/applications/{app.id}/services/{identifier}")
        assert (made.body["scopeOfLocality"], made.body["consumedLocalOnly"]) == ("MEC_HOST", True)
        assert (made.body["isLocal"], made.body["transportInfo"], made.body["serCategory"]) == (
            True,
            TRANSPORT,
            CATEGORY,
        )
        assert "livenessInterval" not in made.body
        assert "liveness" not in made.body["_links"]
        read = await app.call("GET", made.body["_links"]["self"]["href"])
        own = await app.call("GET", made.headers["location"])
        assert read.body == own.body == made.body
        assert made.headers["etag"] == read.headers["etag"] == own.headers["etag"]

    async def test_transports_and_serializers_that_nobody_knows_yet_are_taken(self, host: Host) -> None:
        name = fresh()
        app = await host.app(name)
        made = await register(app, name, serializer="CBOR", transportInfo=TRANSPORT | {"type": "CARRIER_PIGEON"})
        assert (made.status, made.body["serializer"], made.body["transportInfo"]["type"]) == (
            201,
            "CBOR",
            "CARRIER_PIGEON",
        )

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"transportId": "rest-http"}, ("transportInfo",)),
            ({"transportInfo": None}, ("transportInfo",)),
            ({"transportInfo": None, "transportId": "unknown"}, ("transportId",)),
            ({"state": "SUSPENDED"}, ("state", "ACTIVE", "INACTIVE")),
            ({"state": "ASLEEP"}, ("state", "ACTIVE", "INACTIVE")),
            ({"state": None}, ("state",)),
            ({"version": None}, ("version",)),
            ({"serializer": None}, ("serializer",)),
            ({"serName": ""}, ("serName",)),
            ({"serInstanceId": "mine"}, ("serInstanceId",)),
            ({"livenessInterval": -1}, ("livenessInterval",)),
            ({"scopeOfLocality": "PLANET"}, ("scopeOfLocality", "ZONE_GROUP")),
            ({"consumedLocalOnly": "yes"}, ("consumedLocalOnly",)),
            ({"serCategory": {"id": "speech"}}, ("serCategory",)),
            ({"transportInfo": TRANSPORT | {"endpoint": {}}}, ("endpoint", "uris")),
            ({"transportInfo": TRANSPORT | {"endpoint": {"uris": ["a"], "fqdn": ["b"]}}}, ("endpoint", "fqdn")),
            ({"transportInfo": TRANSPORT | {"endpoint": {"addresses": [{"host": "h"}]}}}, ("port",)),
            ({"transportInfo": TRANSPORT | {"endpoint": {"uris": ["no uri"]}}}, ("transportInfo.endpoint.uris",)),
            ({"transportInfo": TRANSPORT | {"security": {"oAuth2Info": {"grantTypes": []}}}}, ("grantTypes",)),
        ],
    )
    async def test_a_service_that_breaks_a_rule_is_refused_by_the_name_of_what_is_wrong(
        self, host: Host, change: dict[str, Any], words: tuple[str, ...]
    ) -> None:
        name = fresh()
        app = await host.app(name)
        refused(await register(app, name, **change), 400, *words)
        assert await found(app, f"?ser_name={name}") == []

    async def test_an_app_offers_only_what_its_descriptor_declares(self, host: Host) -> None:
        app = await host.app("declared")
        refused(await register(app, "undeclared"), 403, "declared")


class TestDiscovery:
    async def test_queries_find_exactly_what_they_name(self, host: Host) -> None:
        first, second, third = sorted(fresh() for _ in range(3))
        app = await host.app(first, second, third)
        made = await register(app, first, serCategory=CATEGORY | {"id": first})
        await register(app, second, consumedLocalOnly=False, scopeOfLocality="MEC_SYSTEM")
        await register(app, third, state="INACTIVE")
        both = f"ser_name={first}&ser_name={second}"
        for query, expected in {
            f"?ser_name={first}": [first],
            f"?{both}": [first, second],
            f"?ser_name={third}": [third],
            f"?ser_instance_id={made.body['serInstanceId']}&ser_instance_id=unknown": [first],
            f"?ser_category_id={first}": [first],
            f"?{both}&scope_of_locality=MEC_SYSTEM": [second],
            f"?{both}&consumed_local_only=true": [first],
            f"?{both}&consumed_local_only=false&scope_of_locality=MEC_HOST": [],
            f"?{both}&is_local=TRUE": [first, second],
            f"?{both}&is_local=false": [first, second],
            "?ser_name=nobody-has-this": [],
        }.items():
            assert await found(app, query) == expected, query
        assert {first, second, third} <= set(await found(app, ""))

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("ser_name=a&ser_instance_id=b", ("ser_name", "ser_instance_id")),
            ("ser_name=a&ser_category_id=b", ("ser_name", "ser_category_id")),
            ("ser_instance_id=a&ser_category_id=b", ("ser_instance_id", "ser_category_id")),
            ("ser_category_id=a&ser_category_id=b", ("ser_category_id",)),
            ("scope_of_locality=PLANET", ("scope_of_locality", "MEC_HOST")),
            ("consumed_local_only=perhaps", ("consumed_local_only",)),
            ("is_local=", ("is_local",)),
            ("serName=a", ("serName", "ser_name")),
            ("ser_name=%ff", ("UTF-8",)),
        ],
    )
    async def test_a_query_that_could_mean_two_things_is_refused(
        self, host: Host, query: str, words: tuple[str, ...]
    ) -> None:
        app = await host.app()
        refused(await app.call("GET", f"/mec_service_mgmt/v1/services?{query}"), 400, *words)
        refused(await app.services("GET", f"/services?{query}"), 400, *words)

    async def test_a_query_without_end_is_refused(self, host: Host) -> None:
        app = await host.app()
        refused(await app.call("GET", "/mec_service_mgmt/v1/services?ser_name=" + "a" * 9000), 414)

    async def test_an_app_lists_its_own_services_apart(self, host: Host) -> None:
        name = fresh()
        one, other = await host.app(name), await host.app(name)
        made = await register(one, name)
        assert (await one.services("GET", f"/services?ser_name={name}")).body == [made.body]
        assert (await other.services("GET", "/services")).body == []
        assert await found(other, f"?ser_name={name}") == [name]

    async def test_a_service_is_read_again_only_if_it_has_changed(self, host: Host) -> None:
        name = fresh()
        app = await host.app(name)
        made = await register(app, name)
        here = made.body["_links"]["self"]["href"]
        same = await app.call("GET", here, if_none_match=made.headers["etag"])
        assert (same.status, same.body) == (304, None)
        await app.call("PUT", made.headers["location"], service(name, state="INACTIVE"))
        other = await app.call("GET", here, if_none_match=made.headers["etag"])
        assert (other.status, other.body["state"]) == (200, "INACTIVE")
        refused(await app.call("GET", "/mec_service_mgmt/v1/services/unknown"), 404, "unknown")
        for method in ("PUT", "POST", "DELETE"):
            refused(await app.call(method, here, made.body), 405, "GET")

    async def test_the_platform_tells_its_transports(self, host: Host) -> None:
        app = await host.app()
        (transport,) = (await app.call("GET", "/mec_service_mgmt/v1/transports")).body
        assert (transport["type"], transport["protocol"]) == ("REST_HTTP", "HTTP")
        assert transport["endpoint"] == {"uris": [host.base]}
        oauth = transport["security"]["oAuth2Info"]
        assert oauth["grantTypes"] == ["OAUTH2_CLIENT_CREDENTIALS"]
        assert oauth["tokenEndpoint"].startswith(host.base)


class TestReplacement:
    async def made(self, host: Host, **more: Any) -> tuple[App, str, Reply]:
        name = fresh()
        app = await host.app(name)
        made = await register(app, name, **more)
        assert made.status == 201
        return app, name, made

    async def test_what_is_left_out_is_gone(self, host: Host) -> None:
        app, name, made = await self.made(host, serCategory=CATEGORY, consumedLocalOnly=False)
        reply = await app.call("PUT", made.headers["location"], service(name))
        assert reply.status == 200
        assert "serCategory" not in reply.body
        assert reply.body["consumedLocalOnly"] is True
        assert reply.headers["etag"] != made.headers["etag"]
        assert (await app.call("GET", made.headers["location"])).body == reply.body

    async def test_what_was_read_can_be_changed_and_put_back(self, host: Host) -> None:
        app, name, made = await self.made(host)
        reply = await app.call("PUT", made.headers["location"], made.body | {"version": "2.0"})
        assert (reply.status, reply.body) == (200, made.body | {"version": "2.0"})
        assert await found(app, f"?ser_name={name}") == [name]

    async def test_a_change_made_meanwhile_is_not_overwritten(self, host: Host) -> None:
        app, name, made = await self.made(host)
        here, tag = made.headers["location"], made.headers["etag"]
        for wrong in ('"another"', f"W/{tag}"):
            refused(await app.call("PUT", here, service(name, version="2.0"), if_match=wrong), 412)
            refused(await app.call("DELETE", here, if_match=wrong), 412)
        assert (await app.call("GET", here)).body == made.body
        assert (await app.call("PUT", here, service(name, version="2.0"), if_match=tag)).status == 200
        refused(await app.call("PUT", here, service(name, version="3.0"), if_match=tag), 412)
        refused(await app.call("PUT", here, service(name, state="SUSPENDED"), if_match=tag), 412)  # before its content
        assert (await app.call("PUT", here, service(name, version="3.0"), if_match="*")).status == 200

    @pytest.mark.parametrize(
        ("change", "status", "word"),
        [
            ({"serInstanceId": "another"}, 400, "serInstanceId"),
            ({"state": "SUSPENDED"}, 400, "state"),
            ({"transportInfo": None}, 400, "transport"),
            ({"serName": "undeclared"}, 403, "undeclared"),
        ],
    )
    async def test_a_replacement_that_breaks_a_rule_changes_nothing(
        self, host: Host, change: dict[str, Any], status: int, word: str
    ) -> None:
        app, name, made = await self.made(host)
        refused(await app.call("PUT", made.headers["location"], service(name, **change)), status, word)
        assert (await app.call("GET", made.headers["location"])).body == made.body

    async def test_a_service_that_is_not_there_is_not_made_by_replacing_it(self, host: Host) -> None:
        app, name, _ = await self.made(host)
        refused(await app.services("PUT", "/services/unknown", service(name)), 404)

    async def test_a_service_that_is_withdrawn_is_gone_everywhere(self, host: Host) -> None:
        app, name, made = await self.made(host)
        assert (await app.call("DELETE", made.headers["location"])).status == 204
        for here in (made.headers["location"], made.body["_links"]["self"]["href"]):
            gone = await app.call("GET", here)
            refused(gone, 404)
            assert gone.body["title"] == "No such service"
        refused(await app.call("DELETE", made.headers["location"]), 404)
        assert await found(app, f"?ser_name={name}") == []
