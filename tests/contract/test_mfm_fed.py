"""Mfm-fed: how orchestrators register with their federation manager and find others (ETSI GS MEC 040 V3.1.1, 7)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.mfm_fed_federation import Federation, federating
from tests.contract.mp1_host import Reply, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEMS = "/fed_enablement/v1/fed_resources/system_info"
ZONE = {"name": "secret-zone", "position": {"latitude": 1.0, "longitude": 1.0}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def federation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Federation]:
    async with federating(tmp_path_factory.mktemp("federation")) as federation:
        yield federation


def fresh() -> str:
    return f"system-{uuid.uuid4().hex[:8]}"


async def register(federation: Federation, name: str, provider: str = "north", by: str = "meo") -> Reply:
    body = {"systemName": name, "systemProvider": provider}
    return await federation.north.call("POST", SYSTEMS, body, by=by)


async def listed(federation: Federation, query: str) -> list[str]:
    reply = await federation.north.call("GET", f"{SYSTEMS}?{query}")
    assert reply.status == 200, reply
    return sorted(system["systemName"] for system in reply.body)


class TestRegistration:
    async def test_a_system_gets_an_id_and_an_address_of_its_own(self, federation: Federation) -> None:
        name = fresh()
        made = await register(federation, name)
        identifier = made.body["systemId"]
        assert made.status == 201
        assert str(uuid.UUID(identifier)) == identifier
        assert made.headers["location"] == f"{federation.north.base}{SYSTEMS}/{identifier}"
        assert made.body == {"systemId": identifier, "systemName": name, "systemProvider": "north"}
        assert (await federation.north.call("GET", made.headers["location"])).body == made.body

    @pytest.mark.parametrize(
        ("body", "word"),
        [
            ({"systemId": "mine", "systemName": "a", "systemProvider": "b"}, "systemId"),
            ({"systemName": "a"}, "systemProvider"),
            ({"systemProvider": "b"}, "systemName"),
            ({"systemName": "", "systemProvider": "b"}, "systemName"),
            ({"systemName": 5, "systemProvider": "b"}, "systemName"),
            ([], ""),
        ],
    )
    async def test_a_registration_that_is_not_one_is_refused(
        self, federation: Federation, body: Any, word: str
    ) -> None:
        before = (await federation.north.call("GET", SYSTEMS)).body
        refused(await federation.north.call("POST", SYSTEMS, body), 400, word)
        assert (await federation.north.call("GET", SYSTEMS)).body == before

    async def test_a_body_wrapped_in_its_types_name_is_understood(self, federation: Federation) -> None:
        body = {"SystemInfo": {"systemName": fresh(), "systemProvider": "north"}}
        made = await federation.north.call("POST", SYSTEMS, body)
        assert (made.status, made.body["systemName"]) == (201, body["SystemInfo"]["systemName"])

    async def test_one_system_is_registered_once(self, federation: Federation) -> None:
        name = fresh()
        await register(federation, name)
        refused(await register(federation, name), 403, name)
        assert (await register(federation, name, "another provider")).status == 201


class TestQueries:
    async def test_parameters_are_anded_and_their_repetition_is_ored(self, federation: Federation) -> None:
        one, two = sorted((fresh(), fresh()))
        first = await register(federation, one, "p")
        await register(federation, two, "q")
        await register(federation, one, "q")
        identifier = first.body["systemId"]
        for query, expected in {
            f"systemName={one}&systemProvider=p": [one],
            f"systemName={one}&systemProvider=q": [one],
            f"systemName={two}&systemProvider=p": [],
            f"systemName={one}&systemName={two}": [one, one, two],
            f"systemId={identifier}": [one],
            f"systemid={identifier}": [one],
            f"systemname={one}&systemprovider=p": [one],
            f"systemId={identifier}&systemName={two}": [],
        }.items():
            assert await listed(federation, query) == expected, query

    async def test_nothing_found_is_an_empty_list(self, federation: Federation) -> None:
        assert await listed(federation, "systemName=nobody") == []
        reply = await federation.north.call("GET", "/mfm_fed/v1/members?ser_name=nobody-offers-this")
        assert (reply.status, reply.body) == (200, [])

    async def test_a_misspelt_parameter_does_not_find_everything(self, federation: Federation) -> None:
        refused(await federation.north.call("GET", f"{SYSTEMS}?system_name=a"), 400, "system_name", "systemName")

    async def test_an_unknown_system_is_not_there(self, federation: Federation) -> None:
        for method, body in (("GET", None), ("PATCH", {"systemName": "a"}), ("DELETE", None)):
            refused(await federation.north.call(method, f"{SYSTEMS}/unknown", body), 404, "unknown")


class TestChange:
    @pytest.mark.parametrize("media", ["application/json", "application/merge-patch+json"])
    async def test_a_system_is_renamed(self, federation: Federation, media: str) -> None:
        made, name = await register(federation, fresh()), fresh()
        reply = await federation.north.call("PATCH", made.headers["location"], {"systemName": name}, media=media)
        assert (reply.status, reply.body) == (200, made.body | {"systemName": name})
        assert await listed(federation, f"systemName={name}") == [name]

    async def test_what_was_read_is_sent_back_whole_with_another_name(self, federation: Federation) -> None:
        here, name = (await register(federation, fresh())).headers["location"], fresh()
        read = (await federation.north.call("GET", here)).body
        reply = await federation.north.call("PATCH", here, read | {"systemName": name, "_links": {}})
        assert (reply.status, reply.body) == (200, read | {"systemName": name})

    async def test_an_endpoint_is_taken_and_never_shown(self, federation: Federation) -> None:
        made = await register(federation, fresh())
        change = {"endpoint": {"uris": ["https://secret.example"]}}
        reply = await federation.north.call("PATCH", made.headers["location"], change)
        assert (reply.status, reply.body) == (200, made.body)

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({}, "systemName"),
            ({"systemProvider": "another"}, "systemName"),
            ({"systemName": ""}, "systemName"),
            ({"systemName": 1}, "systemName"),
            ({"endpoint": {}}, "uris"),
            ({"endpoint": {"uris": ["a"], "fqdn": ["b"]}}, "fqdn"),
        ],
    )
    async def test_a_change_of_nothing_or_of_too_much_is_refused(
        self, federation: Federation, change: dict[str, Any], word: str
    ) -> None:
        made = await register(federation, fresh())
        refused(await federation.north.call("PATCH", made.headers["location"], change), 400, word)
        assert (await federation.north.call("GET", made.headers["location"])).body == made.body

    async def test_a_name_that_is_taken_is_not_taken_again_by_renaming(self, federation: Federation) -> None:
        one, two = await register(federation, fresh()), await register(federation, fresh())
        change = {"systemName": one.body["systemName"]}
        refused(await federation.north.call("PATCH", two.headers["location"], change), 403, one.body["systemName"])
        assert (await federation.north.call("PATCH", one.headers["location"], change)).status == 200

    async def test_only_who_registered_a_system_changes_or_removes_it(self, federation: Federation) -> None:
        made = await register(federation, fresh())
        here = made.headers["location"]
        for method, body in (("PATCH", {"systemName": "mine"}), ("DELETE", None)):
            refused(await federation.north.call(method, here, body, by="meo.second"), 403, "registered")
        assert (await federation.north.call("GET", here, by="meo.second")).body == made.body

    async def test_a_system_that_leaves_is_gone(self, federation: Federation) -> None:
        name = fresh()
        here = (await register(federation, name)).headers["location"]
        reply = await federation.north.call("DELETE", here)
        assert (reply.status, reply.body) == (204, None)
        refused(await federation.north.call("GET", here), 404)
        refused(await federation.north.call("DELETE", here), 404)
        assert await listed(federation, f"systemName={name}") == []

    async def test_other_methods_are_refused(self, federation: Federation) -> None:
        here = (await register(federation, fresh())).headers["location"]
        for method, path, allowed in (
            ("PUT", here, "DELETE, GET, HEAD, PATCH"),
            ("POST", here, "DELETE, GET, HEAD, PATCH"),
            ("PUT", SYSTEMS, "GET, HEAD, POST"),
            ("DELETE", SYSTEMS, "GET, HEAD, POST"),
        ):
            reply = await federation.north.call(method, path, {})
            refused(reply, 405)
            assert reply.headers["allow"] == allowed


async def test_a_partners_system_is_found_and_its_end_harms_nobody(federation: Federation) -> None:
    north, south = federation.north, federation.south
    name = fresh()
    made = await south.call("POST", SYSTEMS, {"systemName": name, "systemProvider": "south"})
    identifier = made.body["systemId"]
    resources = {
        "zones": [{"zone": ZONE, "memory": 1, "cpuMilli": 1, "network": "secret-network"}],
        "services": [
            {"serName": service, "version": "1", "appName": "secret-app"}
            for service in ("speech-recognition", "secret-service")
        ],
    }
    reply = await south.call("PUT", f"/mfm_fed/v1/systems/{identifier}/resources", resources)
    assert reply.status == 204, reply
    query = f"{SYSTEMS}?systemName={name}"
    assert await north.settled(query, bool) == [made.body], "the id, the name and the provider, and no more"
    assert (await north.call("GET", f"{SYSTEMS}/{identifier}")).body == made.body
    refused(await north.call("DELETE", f"{SYSTEMS}/{identifier}"), 404)

    members = await north.settled("/mfm_fed/v1/members?ser_name=speech-recognition", bool)
    assert members == [{"systemId": identifier, "systemName": name, "partner": "south"}]
    assert (await north.call("GET", "/mfm_fed/v1/members?ser_name=secret-service")).body == []

    await federation.south_ends()
    own = (await register(federation, fresh())).body
    reply = await north.call("GET", SYSTEMS)
    assert reply.status == 200
    assert own in reply.body
    reply = await north.call("GET", "/mfm_fed/v1/members?ser_name=speech-recognition")
    assert (reply.status, reply.body) == (200, [])
