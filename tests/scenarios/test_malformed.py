"""Malformed and hostile requests at a real border, at Mm1, Mx1 and Mp1: refused with a problem, and nobody notices."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from typing import NamedTuple

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.kit.certificates import client_context
from tests.lateness import lateness
from tests.scenarios.scene import PATIENCE, Scene, Told, ask, bearer

POINTS = ("border", "Mx1", "Mm1", "Mp1")
MEGABYTE = 1024 * 1024


class Door(NamedTuple):
    """An operation with a JSON body, and the right to call it."""

    method: str
    host: str
    port: int
    path: str
    context: ssl.SSLContext
    headers: dict[str, str]

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}{self.path}"


async def door(scene: Scene, point: str) -> Door:
    """One operation at each reference point that others than the operator reach."""
    inner, south = Identities(scene.south), elements(scene.south)
    if point == "border":
        context = client_context([inner.authority_path], Identities(scene.north).of_operator())
        form = {"content-type": "application/x-www-form-urlencoded"}
        url, asked = scene.south.federation_url, b"grant_type=client_credentials&client_id=north"
        token = (await ask("POST", f"{url}/oauth2/token", context, form, asked)).value["access_token"]
        place = scene.south.federation
        return Door("PUT", place.address, place.port, "/mff_fed/v1/federation", context, bearer(token))
    if point == "Mp1":
        app = scene.app("valley")
        host, _, port = app.platform.removeprefix("https://").partition(":")
        path = app.services.removeprefix(app.platform)
        return Door("POST", host, int(port), path, app.context(), bearer(await app.token()))
    identity = inner.issue("administrator") if point == "Mx1" else inner.of_element(south["oss"])
    element = south["oss" if point == "Mx1" else "meo"]
    context = client_context([inner.authority_path], identity)
    return Door("POST", element.address, element.port, "/app_pkgm/v1/app_packages", context, {})


BODIES = {
    "nothing": (b"", "Body missing"),
    "half an object": (b'{"a":', "Body is not JSON"),
    "bad UTF-8": (b'{"a": "\xff\xfe"}', "Body is not JSON"),
    "a list": (b"[]", "Invalid body"),
    "a hundred thousand levels": (b"[" * 100_000, "nested too deeply|Invalid body"),
    "deep inside": (b'{"x":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize("point", POINTS)
async def test_a_body_that_cannot_be_read_is_a_problem_of_its_sender(scene: Scene, point: str) -> None:
    there = await door(scene, point)
    json_body = {**there.headers, "content-type": "application/json"}
    for name, (body, title) in BODIES.items():
        told = await ask(there.method, there.url, there.context, json_body, body)
        assert told.status == 400, (name, told)
        assert told.headers["Content-Type"] == "application/problem+json"
        assert any(part in told.value["title"] for part in title.split("|")), (name, told.value)
    for broken in ({"another": 1}, {"operator": 5, "serName": 5, "appPkgName": 5}):
        told = await ask(there.method, there.url, there.context, there.headers, broken)
        assert told.status == 400, told
        assert "attribute" in told.value["title"]


@pytest.mark.parametrize("point", POINTS)
async def test_a_hundred_megabytes_are_refused_before_they_have_come(scene: Scene, point: str) -> None:
    there = await door(scene, point)
    for framing in (f"content-length: {100 * MEGABYTE}", "transfer-encoding: chunked"):
        sent, told = await poured(there, framing)
        assert told.status == 413, (framing, told)
        assert sent < 20 * MEGABYTE, f"{sent} bytes were taken with {framing}"
    assert await well(scene)


async def poured(there: Door, framing: str) -> tuple[int, Told]:
    """Send without end until the server says something; how much went out, and what it said."""
    reader, writer = await opened(there, framing)
    answer = asyncio.create_task(reader.read(65536))
    piece, sent = b"10000\r\n" + b" " * 65536 + b"\r\n", 0
    async with asyncio.timeout(PATIENCE):
        try:
            while not answer.done() and sent < 100 * MEGABYTE:
                writer.write(piece if "chunked" in framing else b" " * 65536)
                await writer.drain()
                sent += 65536
                await asyncio.sleep(0)
        except (OSError, ssl.SSLError):
            pass  # it closed the connection after its answer
        raw = await answer
    writer.transport.abort()
    return sent, parsed(raw)


async def opened(there: Door, *lines: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the head of a request has been sent."""
    reader, writer = await asyncio.open_connection(there.host, there.port, ssl=there.context)
    named = [f"{name}: {value}" for name, value in there.headers.items()]
    head = [f"{there.method} {there.path} HTTP/1.1", f"host: {there.host}", "content-type: application/json"]
    writer.write(("\r\n".join([*head, *named, *lines]) + "\r\n\r\n").encode())
    await writer.drain()
    return reader, writer


def parsed(raw: bytes) -> Told:
    head, _, body = raw.partition(b"\r\n\r\n")
    return Told(int(head.split(b" ")[1]) if head else 0, {}, body)


async def test_who_sends_a_byte_a_second_is_not_waited_for(scene: Scene) -> None:
    doors = [await door(scene, point) for point in POINTS]

    async def slow_body(there: Door) -> Told:
        reader, writer = await opened(there, "content-length: 1000")
        return parsed(await dripping(reader, writer, b"{" + b" " * 100))

    async def slow_head(there: Door) -> Told:
        reader, writer = await asyncio.open_connection(there.host, there.port, ssl=there.context)
        return parsed(await dripping(reader, writer, f"{there.method} {there.path} HTTP/1.1\r\nhost: x\r\n".encode()))

    began = time.monotonic()
    async with lateness() as late:
        bodies, heads, _ = await asyncio.gather(
            asyncio.gather(*map(slow_body, doors)), asyncio.gather(*map(slow_head, doors)), unhindered(scene, 8)
        )
    assert time.monotonic() - began < 20 + late.seconds
    assert [told.status for told in bodies] == [408] * len(doors)
    assert [told.status for told in heads] == [0] * len(doors), "a connection without a request is closed"


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, content: bytes) -> bytes:
    """Send a byte a second until the server ends it; what it said."""
    answer = asyncio.create_task(reader.read(65536))
    for position in range(30):
        if answer.done():
            break
        writer.write(content[position : position + 1])
        await asyncio.wait({answer}, timeout=1.0)
    writer.transport.abort()
    try:
        return await answer
    except (OSError, ssl.SSLError):
        return b""


async def unhindered(scene: Scene, seconds: int) -> None:
    """Meanwhile everybody else is served."""
    for _ in range(seconds):
        assert await well(scene)
        await asyncio.sleep(1)


async def well(scene: Scene) -> bool:
    """Whether south answers at once."""
    began = time.monotonic()
    async with lateness() as late, administration(scene.south) as oss:
        await oss.overview.overview()
    return time.monotonic() - began < 3 + late.seconds


async def test_what_is_not_http_is_refused_without_harm(scene: Scene) -> None:
    for point in POINTS:
        there = await door(scene, point)
        for noise in (b"\x00\xff" * 100 + b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"X" * 70_000):
            reader, writer = await asyncio.open_connection(there.host, there.port, ssl=there.context)
            writer.write(noise)
            async with asyncio.timeout(PATIENCE):
                try:
                    told = await reader.read(4096)
                except (OSError, ssl.SSLError):
                    told = b""
            writer.transport.abort()
            assert not told or told.startswith(b"HTTP/1.1 4"), (point, noise[:20], told)
            assert not told or json.loads(told.partition(b"\r\n\r\n")[2])["status"] == 400
    assert await well(scene)
