"""A developer's tools read what a sandbox serves, and find everything that is served in it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openapi_spec_validator import validate

from hanse.assembly.sandbox.descriptions import Page, by_base, document
from hanse.kit.contract.declare import Api
from hanse.refpoints.mp1 import Mp1

APIS: list[type[Api]] = [offer.api for offer in Mp1.offers]
TOKENS = "https://127.0.0.1:8443/oauth2/token"


@pytest.mark.parametrize("base", by_base(APIS))
def test_every_base_has_one_document_that_tools_accept(base: str) -> None:
    apis = by_base(APIS)[base]
    made = document(apis, f"https://127.0.0.1:8443{base}", TOKENS)
    validate(made)
    operations = {o["operationId"] for item in made["paths"].values() for o in item.values()}
    for api in apis:
        for name, operation in api.operations.items():
            assert name in operations or operation.method == "*", f"{name} is served and not described"
    assert made["servers"] == [{"url": f"https://127.0.0.1:8443{base}"}]
    assert made["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["tokenUrl"] == TOKENS


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
