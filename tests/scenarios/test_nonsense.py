"""A partner that answers nonsense, slowly, or not at all: north's own work goes on, its apps get bounded answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from hanse.assembly.administration import administration
from hanse.assembly.deployment import Deployment
from hanse.refpoints.mfm_fed.members import PartnerState
from tests.lateness import lateness
from tests.scenarios.conftest import opened
from tests.scenarios.recorder import Recorder
from tests.scenarios.scene import App, Scene, Told, ask, bearer, until, until_available

BORDER_PORT = 9443
SECRET = b"secret-of-south"
APP_PATIENCE = 3.0
"""Seconds that the app says it waits for an answer."""

Misbehaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def saying(answer: bytes, *, length: int | None = None) -> Misbehaviour:
    """Each request gets this answer; ``length`` announces more than comes, then the connection is closed."""

    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            head, _, body = answer.partition(b"\n\n")
            size = len(body) if length is None else length
            writer.write(head.replace(b"\n", b"\r\n") + f"\r\ncontent-length: {size}\r\n\r\n".encode() + body)
            await writer.drain()
            if length is not None:
                return

    return misbehave


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[")
    while True:
        writer.write(b" " * 65536)
        await writer.drain()
        await asyncio.sleep(0.02)


async def byte_by_byte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(1)


async def slow_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    for byte in b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65536)
    await asyncio.sleep(60)


async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    return


PARTNERS: dict[str, Misbehaviour] = {
    "answers HTML": saying(b"HTTP/1.1 200 OK\ncontent-type: text/html\n\n<html>" + SECRET),
    "answers other JSON": saying(b'HTTP/1.1 200 OK\ncontent-type: application/json\n\n{"systems": [1, {"a": null}]}'),
    "nests deeply": saying(b"HTTP/1.1 200 OK\ncontent-type: application/json\n\n" + b"[" * 100_000),
    "answers bad UTF-8": saying(b'HTTP/1.1 200 OK\ncontent-type: application/json\n\n["\xff\xfe"]'),
    "fails with secrets": saying(b"HTTP/1.1 500 Oh\ncontent-type: text/plain\n\nTraceback: " + SECRET),
    "refuses with a page": saying(b"HTTP/1.1 401 No\ncontent-type: text/html\n\n<html>"),
    "refuses at great length": saying(
        b'HTTP/1.1 400 No\ncontent-type: application/problem+json\n\n{"title": "' + b"x" * 1_000_000 + b'"}'
    ),
    "redirects": saying(b"HTTP/1.1 307 Go\nlocation: http://127.0.0.1:1/\n\n"),
    "closes in the middle": saying(b"HTTP/1.1 200 OK\ncontent-type: application/json\n\n[", length=1000),
    "speaks another protocol": saying(b"SSH-2.0-OpenSSH_9.2\n\n"),
    "never ends": endless,
    "sends a byte a second": byte_by_byte,
    "sends its head a byte a second": slow_head,
    "never answers": silent,
    "hangs up": gone,
}


def with_token(text: str) -> Misbehaviour:
    """A token endpoint's answer with this token."""
    answer = json.dumps({"access_token": text, "token_type": "Bearer", "expires_in": 300})
    return saying(b"HTTP/1.1 200 OK\ncontent-type: application/json\n\n" + answer.encode())


TOKEN_ENDPOINTS = {
    **{kind: PARTNERS[kind] for kind in ("answers bad UTF-8", "nests deeply", "fails with secrets", "never ends")},
    **{kind: PARTNERS[kind] for kind in ("sends a byte a second", "never answers")},
    "gives a token with line breaks": with_token("a\r\nx-admin: yes"),
    "gives an empty token": with_token(""),
    "gives a token without end": with_token("a" * 1_000_000),
}


def at_the_token_endpoint(misbehaviour: Misbehaviour) -> Misbehaviour:
    """Refuse every token, and misbehave where a new one is to be had."""

    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/oauth2/token" not in head:
            writer.write(b"HTTP/1.1 401 No\r\nhanse-problem: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            await writer.drain()
            return
        again = asyncio.StreamReader()
        again.feed_data(head)
        await misbehaviour(again, writer)

    return misbehave


class Impostor(Recorder):
    """Leads to the real border until it is told to misbehave."""

    misbehaviour: Misbehaviour | None = None

    def __init__(self, caller: str, called: str, real: tuple[str, int]) -> None:
        super().__init__(caller, called, real)
        self._open: set[asyncio.StreamWriter] = set()

    def misbehave(self, how: Misbehaviour) -> None:
        """From now on, also on connections that stand: they are cut."""
        self.misbehaviour = how
        for writer in list(self._open):
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self.misbehaviour is None:
                await super()._pass(reader, writer)
                return
            with contextlib.suppress(OSError, ssl.SSLError, EOFError, asyncio.CancelledError):
                await self.misbehaviour(reader, writer)
            writer.transport.abort()
        finally:
            self._open.discard(writer)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """North reaches its partner at an address where each test stands in."""
    with opened(tmp_path_factory.mktemp("stage")) as plain:
        path = plain.stage.directory / "north.toml"
        path.write_text(re.sub(r'(url = "https://127\.\d+\.0\.)2:', r"\g<1>9:", path.read_text()))
        plain.stage.deployment = Deployment(plain.stage.directory / "deployment.toml")
        made = Scene(plain.stage)

        async def set_up() -> None:
            made.stage.deployment.prepare()
            async with impostor(made):
                await made.start()
                await made.bring_up()

        asyncio.run(set_up())
        yield made


@asynccontextmanager
async def impostor(scene: Scene) -> AsyncIterator[Impostor]:
    """South's border as north sees it."""
    net = scene.stage.networks["127.20."]
    made = Impostor("north", "south", (net + "0.2", BORDER_PORT))
    address = net + "0.9"
    authorities = {s.operator.name: s.directory / "certificates" for s in (scene.north, scene.south)}
    authorities = {name: path / f"{name}.ca.pem" for name, path in authorities.items()}
    shown = (scene.identity("south", "called", address), scene.identity("north", "caller", net + "0.8"))
    await made.start((address, BORDER_PORT), *shown, authorities)
    try:
        yield made
    finally:
        await made.close()


async def remote_service(app: App) -> str:
    """Where the app reaches the partner's service through its own platform."""
    found: list[str] = []

    async def discovered() -> bool:
        told = await app.ask("GET", f"{app.platform}/mec_service_mgmt/v1/services?ser_name=speech-recognition")
        found.extend(s["transportInfo"]["endpoint"]["uris"][0] for s in told.value)
        return bool(found)

    await until(discovered)
    return found[0]


@pytest.mark.parametrize("kind", PARTNERS)
async def test_a_partner_that_misbehaves_is_felt_by_nobody_but_who_called_it(scene: Scene, kind: str) -> None:
    await endured(scene, PARTNERS[kind])


@pytest.mark.parametrize("kind", TOKEN_ENDPOINTS)
async def test_a_token_endpoint_that_misbehaves_holds_up_nobody(scene: Scene, kind: str) -> None:
    await endured(scene, at_the_token_endpoint(TOKEN_ENDPOINTS[kind]))


async def endured(scene: Scene, misbehaviour: Misbehaviour) -> None:
    """From well to ill: the calls of that moment, north's own work, and its status."""
    app = scene.app("navigation")
    async with impostor(scene) as south:
        await until_available(scene.north)
        uri, token = await remote_service(app), await app.token()
        assert (await ask("POST", f"{uri}/echo", app.context(), bearer(token), b"hello")).body == b"hello"
        south.misbehave(misbehaviour)
        began = time.monotonic()
        async with lateness() as late:
            await asyncio.gather(
                discovery_is_empty(app, token), call_fails_in_time(app, token, uri), own_work_goes_on(scene, app, token)
            )
            await until_available(scene.north, PartnerState.TEMPORARY_FAILURE)
            took = time.monotonic() - began
        assert took < 10 + late.seconds, "north's status never said so"
        async with administration(scene.north) as oss:
            assert len((await oss.overview.overview()).partners[0].detail) < 5000, "a partner fills our status"
        await discovery_is_empty(app, token)


async def discovery_is_empty(app: App, token: str) -> None:
    url, began = f"{app.platform}/mec_service_mgmt/v1/services?ser_name=speech-recognition", time.monotonic()
    async with lateness() as late:
        told = await ask("GET", url, app.context(), bearer(token))
    assert (told.status, told.value) == (200, [])
    assert time.monotonic() - began < 6 + late.seconds


async def call_fails_in_time(app: App, token: str, uri: str) -> None:
    began = time.monotonic()
    async with lateness() as late:
        told = await patient(app, f"{uri}/echo", {**bearer(token), "hanse-patience": str(APP_PATIENCE)})
    assert time.monotonic() - began < APP_PATIENCE + 2 + late.seconds
    if told is None:
        return  # the answer had begun, and ended in its middle: the app sees that it is not whole
    assert told.status != 500
    if told.status >= 500:
        assert SECRET not in told.body
        assert json.loads(told.body)["status"] == told.status in (502, 503, 504)


async def patient(app: App, url: str, headers: dict[str, str]) -> Told | None:
    """The answer; ``None`` if it breaks off. A client bound above all others tells if nothing else ends it."""
    try:
        return await ask("POST", url, app.context(), headers, b"hello", patience=APP_PATIENCE + 30)
    except aiohttp.ClientError:
        return None


async def own_work_goes_on(scene: Scene, app: App, token: str) -> None:
    for _ in range(3):
        began = time.monotonic()
        async with lateness() as late:
            async with administration(scene.north) as oss:
                assert len((await oss.overview.overview()).system.hosts) == 2
            assert (await ask("GET", f"{app.support}/traffic_rules", app.context(), bearer(token))).status == 200
            alice = scene.stage.device("north", "alice")
            assert (await alice.request("GET", "http://navigation.example.com:8080/healthz")).status == 200
        assert time.monotonic() - began < 3 + late.seconds
        await asyncio.sleep(0.5)
