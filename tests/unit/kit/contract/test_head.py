"""Who asks by HEAD learns all that GET tells of a resource, and is sent none of it (RFC 9110, 9.3.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hanse.kit.contract.declare import Api, Stream, get
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.kit.contract.serve import ApiServer
from tests.unit.kit.contract.harbour import Dialogue, Port, Ship, Watch, by_header, dialogue, listening, request

SHIP = "/harbour/v1/ships/Adler"
HOLD = bytes(range(250)) * 1000


@pytest.fixture
def port() -> Port:
    port = Port()
    port.quay.ships["Adler"] = Ship(name="Adler", crew=7)
    port.quay.holds["Adler"] = HOLD
    return port


@pytest.fixture
async def line(port: Port) -> AsyncIterator[Dialogue]:
    async with listening(port.server) as listener, dialogue(listener.port) as line:
        yield line


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (SHIP, (), 200),
        ("/harbour/v1/ships", (), 200),
        (f"{SHIP}/hold", (), 200),
        (SHIP, ('if-none-match: "7"',), 304),
        ("/harbour/v1/ships/Unknown", (), 404),
        (f"{SHIP}?no_such=1", (), 400),
        (SHIP, ("accept: text/html",), 406),
        (SHIP, ("authorization: thief",), 403),
        (SHIP, ("authorization: nobody",), 401),
    ],
)
async def test_head_is_answered_like_get_without_the_content(
    line: Dialogue, target: str, headers: tuple[str, ...], status: int
) -> None:
    await line.send(request("HEAD", target, headers=headers))
    head = await line.reply(body=False)
    await line.send(request("GET", target, headers=headers))
    whole = await line.reply()  # were there any content after the first head, this would not be read as an answer
    assert head.status == whole.status == status
    assert head.headers | {"date": "then"} == whole.headers | {"date": "then"}  # which may be a second later
    assert whole.headers.get("content-length", "0") == str(len(whole.body))


async def test_head_leaves_no_content_to_whoever_serves(port: Port) -> None:
    """Any ASGI server may serve: none is relied on to drop what was not asked for."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    for path in (SHIP, f"{SHIP}/hold", "/harbour/v1/ships/Unknown"):
        scope = {"type": "http", "method": "HEAD", "path": path, "raw_path": path.encode(), "query_string": b""}
        await port.server(scope | {"headers": [(b"authorization", b"pilot")]}, receive, send)
    assert [message["status"] for message in sent if "status" in message] == [200, 200, 404]
    assert {message["body"] for message in sent if "body" in message} == {b""}


class Lake(Api, bases=("/lake/v1",)):
    @get("/water")
    async def water(self) -> Stream: ...


class Mere(Lake):
    """Water of which any part can be had, and which notices when it is let go of."""

    def __init__(self) -> None:
        self.begun = self.ended = 0

    async def water(self) -> Stream:
        return Stream(self._chunks(), "text/plain", len(HOLD), part=lambda first, last: self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        self.begun += 1
        try:
            for at in range(0, len(HOLD), 1000):
                yield HOLD[at : at + 1000]
        finally:
            self.ended += 1


async def test_head_ignores_ranges_and_holds_nothing_open() -> None:
    sea = ReferencePoint(name="Sea", joins="", clause="", offers=(Offer(Lake, provider="mere", users=("pilot",)),))
    mere, server = Mere(), ApiServer(by_header)
    server.mount(mere, Gate("mere", "mere.1", "north", Guard([sea]), Watch()), [Lake])
    async with listening(server) as listener, dialogue(listener.port) as line:
        await line.send(request("HEAD", "/lake/v1/water", headers=("range: bytes=0-9",)))
        head = await line.reply(body=False)
    assert (head.status, head.headers["content-length"]) == (200, str(len(HOLD)))
    assert head.headers["accept-ranges"] == "bytes"
    assert (mere.begun, mere.ended) == (1, 1)


async def test_where_there_is_no_get_there_is_no_head(line: Dialogue) -> None:
    await line.send(request("HEAD", f"{SHIP}/repair"))
    told = await line.reply(body=False)
    assert (told.status, told.headers["allow"]) == (405, "POST")


async def test_whoever_errs_in_the_method_learns_of_head(line: Dialogue) -> None:
    await line.send(request("POST", SHIP))
    told = await line.reply()
    assert (told.status, told.headers["allow"]) == (405, "DELETE, GET, HEAD, PUT")
    assert "DELETE, GET, HEAD, PUT" in msgspec.json.decode(told.body)["detail"]


async def test_head_is_recorded_and_judged_as_the_operation_that_it_asks(port: Port, line: Dialogue) -> None:
    await line.send(request("HEAD", SHIP), request("HEAD", SHIP, headers=("authorization: app",)))
    statuses = [(await line.reply(body=False)).status for _ in range(2)]
    assert statuses == [200, 403]
    assert [(m.operation, m.status) for m in port.watch.messages] == [("look", 200), ("look", 403)]
