"""A developer's tools read what a sandbox serves, and find everything that is served in it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openapi_spec_validator import validate

from hanse.assembly.sandbox.descriptions import Page, Ways, by_base, document
from hanse.assembly.sandbox.seed import Seed, SeededApp
from hanse.kit.contract.declare import Api
from hanse.refpoints.mp1 import Mp1

APIS: list[type[Api]] = [offer.api for offer in Mp1.offers]
TOKENS = "https://127.0.0.1:8443/oauth2/token"


@pytest.mark.parametrize("base", by_base(APIS))
def test_every_base_has_one_document_that_tools_accept(base: str) -> None:
    apis = by_base(APIS)[base]
    made = document(apis, f"https://127.0.0.1:8443{base}", Ways.of(Seed(), TOKENS))
    validate(made)
    operations = {o["operationId"] for item in made["paths"].values() for o in item.values()}
    for api in apis:
        for name, operation in api.operations.items():
            assert name in operations or operation.method == "*", f"{name} is served and not described"
    assert made["servers"] == [{"url": f"https://127.0.0.1:8443{base}"}]
    assert made["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["tokenUrl"] == TOKENS
    named = [o["operationId"] for item in made["paths"].values() for o in item.values()]
    assert len(named) == len(set(named)), "a generated client has a method for each"
    tags = {tag["name"] for tag in made["tags"]}
    assert all(set(o["tags"]) <= tags for item in made["paths"].values() for o in item.values())


def test_a_generated_client_knows_each_kind_of_token_that_the_seed_has() -> None:
    apps = (SeededApp(id="a", tokens=("Basic dTpw", "plain")), SeededApp(id="b", tokens=("Custom x", "Bearer y")))
    made = document(APIS[:1], "https://127.0.0.1:8443/x", Ways.of(Seed(apps=apps), TOKENS))
    validate(made)
    schemes = made["components"]["securitySchemes"]
    kinds = {name: (scheme["type"], scheme.get("scheme", scheme.get("name"))) for name, scheme in schemes.items()}
    static = {"basic": ("http", "basic"), "bearer": ("http", "bearer"), "custom": ("apiKey", "Authorization")}
    assert kinds == {"oauth2": ("oauth2", None), **static}
    assert made["security"] == [{"oauth2": []}, {"basic": []}, {"bearer": []}, {"custom": []}]


def test_a_generated_client_need_not_show_a_token_where_an_app_is_anonymous() -> None:
    seed = Seed(apps=(SeededApp(id="a", anonymous=True),))
    assert document(APIS[:1], "https://127.0.0.1:8443/x", Ways.of(seed, TOKENS))["security"] == [{"oauth2": []}, {}]


def test_a_generated_client_can_make_its_changes_conditional() -> None:
    made = document(by_base(APIS)["/mec_service_mgmt/v1"], "https://127.0.0.1:8443/x", Ways.of(Seed(), TOKENS))
    one = made["paths"]["/applications/{appInstanceId}/services/{serviceId}"]
    fields = {m: {p["name"] for p in one[m]["parameters"] if p["in"] == "header"} for m in ("get", "put", "delete")}
    assert fields == {"get": {"If-None-Match"}, "put": {"If-Match"}, "delete": {"If-Match"}}


def test_apis_that_share_a_base_stand_in_one_document() -> None:
    names = [api.__name__ for api in by_base(APIS)["/mec_app_support/v2"]]
    assert names == ["ApplicationSupport", "Registrations", "Timing"]
    assert by_base(APIS)["/mec_app_support/v1"] == by_base(APIS)["/mec_app_support/v2"]


async def answered(method: str) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await Page({"a": 1})({"type": "http", "method": method}, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def test_a_page_is_read_and_not_written() -> None:
    status, headers, body = await answered("GET")
    assert (status, headers[b"content-type"], msgspec.json.decode(body)) == (200, b"application/json", {"a": 1})
    status, headers, body = await answered("POST")
    assert (status, headers[b"allow"], msgspec.json.decode(body)["status"]) == (405, b"GET, HEAD", 405)
    status, headers, body = await answered("OPTIONS")
    assert (status, headers[b"allow"], body) == (204, b"GET, HEAD, OPTIONS", b"")
    assert await answered("HEAD") == (200, (await answered("GET"))[1], b"")
