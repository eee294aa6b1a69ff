"""The benchmark of discovery asks what it says, about 20 records each time, and its floor answers the same records."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from benchmarks.bare_handler import application
from benchmarks.mp1_answers import places
from benchmarks.mp1_questions import KINDS, questions, wanted
from benchmarks.mp1_stock import Stock, stocked
from hanse.refpoints.mp1.services import ServiceInfo

STOCK = stocked("https://127.9.1.1:8443", "https://127.9.2.1:8443", 1000)
ASKED = questions(STOCK, 60)


def known(stock: Stock) -> list[ServiceInfo]:
    """All services as the harbour's apps see them: those of the airport are not local."""
    return stock.here + [replace(service, is_local=False) for service in stock.elsewhere]


@pytest.mark.parametrize("kind", KINDS)
def test_each_query_of_each_kind_is_about_twenty_of_a_thousand_records(kind: str) -> None:
    assert len(known(STOCK)) == 1000
    counts = [len(wanted(query, known(STOCK))) for query in ASKED[kind]]
    assert all(15 <= count <= 25 for count in counts), counts


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("ser_name", {"ser_name"}),
        ("two ser_name", {"ser_name"}),
        ("ser_category_id", {"ser_category_id"}),
        ("scope_of_locality", {"scope_of_locality"}),
        ("consumed_local_only", {"consumed_local_only"}),
        ("is_local", {"ser_name", "is_local"}),
        ("combination", {"ser_name", "ser_category_id", "scope_of_locality", "consumed_local_only", "is_local"}),
    ],
)
def test_a_kind_is_what_its_name_says(kind: str, parameters: set[str]) -> None:
    assert {pair.partition("=")[0] for query in ASKED[kind] for pair in query.split("&")} == parameters
    if kind == "two ser_name":
        assert all(len(set(query.split("&"))) == 2 for query in ASKED[kind])


def test_what_narrows_leaves_something_out() -> None:
    wide = f"ser_name={STOCK.wide_names[0]}"
    every = wanted(wide, known(STOCK))
    assert wanted(f"{wide}&scope_of_locality=MEC_HOST", known(STOCK)) < every
    shared = f"ser_name={STOCK.names[0]}"
    assert wanted(f"{shared}&is_local=true", known(STOCK)) < wanted(shared, known(STOCK))


async def asked(floor: Any, query: str) -> dict[str, Any]:
    """The whole answer of an ASGI application."""
    told: dict[str, Any] = {}
    path = "/mec_service_mgmt/v1/services"
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        told.update(message)

    await floor(scope, receive, send)
    return told


async def test_the_floor_answers_the_records_that_it_was_given() -> None:
    services = known(STOCK)
    right = {"ser_name=a": msgspec.json.encode([services[3], services[1]]), "ser_name=none": b"[]"}
    floor = application(services, places(right, services))
    for query, body in right.items():
        answer = await asked(floor, query)
        assert (b"content-type", b"application/json") in answer["headers"]
        assert (answer["status"], answer["body"]) == (200, body)
