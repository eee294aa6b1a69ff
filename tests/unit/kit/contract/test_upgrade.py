"""Who asks for another protocol is answered in this one (RFC 9110, 7.8), and nobody is told to install something."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.bounds import SOON
from tests.unit.kit.contract.harbour import Dialogue, Port, dialogue, listening, request

SHIPS = "/harbour/v1/ships"
ASKED = [
    ["connection: upgrade", "upgrade: websocket", "sec-websocket-key: eA==", "sec-websocket-version: 13"],
    ["connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABk"],  # as curl --http2 sends it
    ["connection: upgrade"],
]


@pytest.fixture
async def line() -> AsyncIterator[Dialogue]:
    async with listening(Port().server) as listener, dialogue(listener.port) as line:
        yield line


@pytest.mark.parametrize("headers", ASKED)
async def test_a_client_that_offers_another_protocol_is_answered_and_the_log_stays_quiet(
    line: Dialogue, caplog: pytest.LogCaptureFixture, headers: list[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            await line.send(request("GET", SHIPS, headers=headers))
            reply = await asyncio.wait_for(line.reply(), SOON)
            assert (reply.status, reply.body) == (200, b"[]")
            assert "upgrade" not in reply.headers
    assert [r.getMessage() for r in caplog.records if r.name.startswith("uvicorn")] == []


@pytest.mark.parametrize("headers", ASKED)
async def test_the_body_of_such_a_request_is_taken(line: Dialogue, headers: list[str]) -> None:
    whole = request("POST", SHIPS, b'{"name":"Adler"}', headers=headers)
    await line.send(whole[:-5])
    await asyncio.sleep(0.02)
    await line.send(whole[-5:])
    assert (await asyncio.wait_for(line.reply(), SOON)).status == 201
    await line.send(request("GET", f"{SHIPS}/Adler"))
    assert msgspec.json.decode((await asyncio.wait_for(line.reply(), SOON)).body)["name"] == "Adler"


@pytest.mark.parametrize("headers", ASKED)
async def test_what_is_asked_behind_such_a_request_is_answered_too(line: Dialogue, headers: list[str]) -> None:
    asked = [request("GET", f"/harbour/v1/captains/{name}/log", headers=headers) for name in "abc"]
    await line.send(*asked, request("GET", "/harbour/v1/captains/d/log"))
    bodies = [(await asyncio.wait_for(line.reply(), SOON)).body for _ in range(4)]
    assert bodies == [b'"a"', b'"b"', b'"c"', b'"d"']


async def test_frames_of_a_protocol_that_was_never_agreed_are_refused_as_no_http(
    line: Dialogue, caplog: pytest.LogCaptureFixture
) -> None:
    await line.send(request("GET", SHIPS, headers=ASKED[0]), b"\x81\x85\x00\x00\x00\x00hello")
    assert (await asyncio.wait_for(line.reply(), SOON)).status in (200, 400)
    assert b"pip install" not in await asyncio.wait_for(line.rest(), SOON)
    assert "pip install" not in caplog.text


@pytest.mark.parametrize("headers", ASKED)
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_behind_such_a_request_is_never_taken_for_a_request_of_its_own(
    line: Dialogue, headers: list[str], chunked: bool
) -> None:
    hidden = request("DELETE", f"{SHIPS}/Adler")
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(hidden), hidden) if chunked else hidden
    length = None if chunked else len(body)
    coding = ["transfer-encoding: chunked"] if chunked else []
    await line.send(request("POST", SHIPS, b'{"name":"Adler"}'))
    await line.reply()
    await line.send(
        request(
            "PUT", f"{SHIPS}/Adler/hold", headers=[*headers, *coding, "content-type: application/zip"], length=length
        )
    )
    await line.send(body, request("GET", f"{SHIPS}/Adler"))
    statuses = [(await asyncio.wait_for(line.reply(), SOON)).status for _ in range(2)]
    assert statuses == [202, 200]
