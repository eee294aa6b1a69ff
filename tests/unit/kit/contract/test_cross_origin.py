"""A web page reads what a server answers where its origin was allowed, and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from hanse.kit.contract.cross_origin import CrossOrigin, check_origin
from hanse.kit.problems import Problem
from tests.unit.kit.contract.harbour import Dialogue, Port, Reply, Ship, dialogue, listening, request

PAGE, OTHER = "http://localhost:3000", "http://evil.example"
SHIPS = "/harbour/v1/ships"
TELL = "access-control-allow-origin"


@asynccontextmanager
async def talking(*origins: str) -> AsyncIterator[Dialogue]:
    port = Port()
    port.quay.ships["Adler"] = Ship(name="Adler", crew=7)
    port.quay.holds["Adler"] = b"x" * 200_000
    server = CrossOrigin(port.server, origins) if origins else port.server
    async with listening(server) as listener, dialogue(listener.port) as line:
        yield line


async def preflight(line: Dialogue, origin: str, *headers: str) -> Reply:
    asked = ("access-control-request-method: PUT", f"origin: {origin}", "authorization: nobody", *headers)
    await line.send(request("OPTIONS", SHIPS, headers=asked))
    return await line.reply()


async def asked(line: Dialogue, target: str, *headers: str, method: str = "GET") -> Reply:
    await line.send(request(method, target, headers=headers))
    return await line.reply()


async def test_a_preflight_needs_no_token_and_allows_what_it_asks_for() -> None:
    async with talking(PAGE) as line:
        told = await preflight(line, PAGE, "access-control-request-headers: authorization, content-type, x-sdk")
    assert (told.status, told.headers[TELL]) == (204, PAGE)
    assert {"GET", "PUT", "PATCH", "DELETE"} <= set(told.headers["access-control-allow-methods"].split(", "))
    assert told.headers["access-control-allow-headers"] == "authorization, content-type, x-sdk"
    assert "Origin" in told.headers["vary"]
    assert "access-control-allow-private-network" not in told.headers


async def test_a_page_from_elsewhere_may_call_this_machine_once_its_origin_is_allowed() -> None:
    async with talking("https://dev.example") as line:
        told = await preflight(line, "https://dev.example", "access-control-request-private-network: true")
    assert told.headers["access-control-allow-private-network"] == "true"


async def test_a_page_reads_the_location_of_what_it_made() -> None:
    async with talking(PAGE) as line:
        told = await asked(line, f"{SHIPS}/Adler", f"origin: {PAGE}")
        refused = await asked(line, f"{SHIPS}/none", f"origin: {PAGE}")
        stream = await asked(line, f"{SHIPS}/Adler/hold", f"origin: {PAGE}")
    for reply, status in ((told, 200), (refused, 404), (stream, 200)):
        assert (reply.status, reply.headers[TELL]) == (status, PAGE)
        assert {"Location", "ETag", "Link", "Retry-After"} <= set(
            reply.headers["access-control-expose-headers"].split(", ")
        )
    assert stream.body == b"x" * 200_000


async def test_pages_of_other_origins_read_nothing_and_their_developer_learns_why() -> None:
    async with talking(PAGE) as line:
        for origin in (OTHER, PAGE + "0", "null", PAGE.upper()):
            told = await preflight(line, origin)
            assert (told.status, TELL in told.headers) == (403, False), origin
            assert origin in msgspec.json.decode(told.body)["detail"]
            reply = await asked(line, SHIPS, f"origin: {origin}")
            assert (TELL in reply.headers, reply.headers["vary"]) == (False, "Origin")


async def test_who_is_no_browser_is_answered_as_ever() -> None:
    async with talking(PAGE) as line:
        assert (await asked(line, SHIPS)).status == 200
        told = await asked(line, SHIPS, method="OPTIONS")
        assert (told.status, told.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
        assert (await asked(line, SHIPS, "authorization: nobody", method="OPTIONS")).status == 401


async def test_every_page_may_call_where_any_origin_is_allowed() -> None:
    async with talking("*") as line:
        assert (await preflight(line, OTHER)).headers[TELL] == "*"
        assert (await asked(line, SHIPS, f"origin: {OTHER}")).headers[TELL] == "*"


async def test_no_page_reads_anything_unless_somebody_asked_for_it() -> None:
    async with talking() as line:
        assert (await preflight(line, PAGE)).status == 401
        assert not [n for n in (await asked(line, SHIPS, f"origin: {PAGE}")).headers if n.startswith("access-control")]


async def test_what_is_no_list_of_names_is_not_said_again() -> None:
    async with talking(PAGE) as line:
        told = await preflight(line, PAGE, 'access-control-request-headers: "a"; b')
    assert (told.status, "access-control-allow-headers" in told.headers) == (204, False)


@pytest.mark.parametrize("origin", ["*", PAGE, "https://a.example", "http://[::1]:8080", "http://127.0.0.1"])
def test_an_origin_is_taken_as_browsers_write_it(origin: str) -> None:
    assert check_origin(origin) == origin


@pytest.mark.parametrize(
    "origin",
    ["localhost:3000", f"{PAGE}/", "http://LOCALHOST", "file://", "null", "", "http://a b", "http://a, http://b"],
)
def test_an_origin_that_no_browser_would_send_is_refused_with_an_example(origin: str) -> None:
    with pytest.raises(Problem, match="Invalid origin") as caught:
        check_origin(origin)
    assert (caught.value.status, "http://localhost:3000" in caught.value.detail) == (400, True)
