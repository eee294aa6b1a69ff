"""A token endpoint cannot be held up, always answers, and leaves one record of each request that keeps the secret."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote_plus, urlencode

import msgspec
import pytest

from hanse.assembly.token_endpoint import TokenEndpoint
from hanse.kit.contract import body as bodies
from hanse.kit.contract.asgi import Scope
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.tokens import Client, Credentials, TokenAnswer, TokenIssuer, hash_secret, token_endpoint
from tests.bounds import SOON
from tests.unit.kit.contract.harbour import SEA, Dialogue, Port, Reply, Watch, dialogue, listening, request

PATH = "/oauth2/token"
SECRET = "open sesame, and let all forty thieves in"
APP = "3f2a8c51-0d7e"
FORM = ["content-type: application/x-www-form-urlencoded"]


def form(**more: str) -> bytes:
    return urlencode({"grant_type": "client_credentials", **more}).encode()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def line(watch: Watch, tmp_path: Path) -> AsyncIterator[Dialogue]:
    """A connection to a server whose endpoint issues tokens to one app, and breaks for a client called broken."""
    credentials = Credentials([Client(client_id=APP, audience=("https://p",), secret_hash=hash_secret(SECRET))])
    issuer = TokenIssuer(tmp_path / "tokens.pem", issuer="https://p")

    def issue(sent: bytes, authorization: str | None, _scope: Scope) -> TokenAnswer:
        if b"broken" in sent:
            raise KeyError(SECRET)
        return token_endpoint(sent, authorization, credentials=credentials, issuer=issuer)

    server = Port().server
    server.mount_raw(PATH, TokenEndpoint(issue, Gate("mep", "mep.harbour", "north", Guard([SEA]), watch), "Mp1"))
    async with listening(server) as listener, dialogue(listener.port) as line:
        yield line


async def asked(line: Dialogue, body: bytes, path: str = PATH, headers: list[str] = FORM) -> Reply:
    raw = request("POST", path, body, headers=headers)
    await line.send(raw.replace(b"authorization: pilot\r\n", b""))
    return await asyncio.wait_for(line.reply(), SOON)


def basic() -> str:
    return "authorization: Basic " + base64.b64encode(f"{APP}:{quote_plus(SECRET)}".encode()).decode()


@pytest.mark.parametrize("way", ["form", "header"])
async def test_who_gets_a_token_is_recorded_once_and_the_secret_never(line: Dialogue, watch: Watch, way: str) -> None:
    body = form(client_id=APP, client_secret=SECRET) if way == "form" else form()
    headers = FORM if way == "form" else [*FORM, basic()]
    reply = await asked(line, body, f"{PATH}?client_secret=open%20sesame", headers)
    assert reply.status == 200
    [message] = watch.messages
    assert (message.operation, message.reference_point, message.method, message.path) == ("token", "Mp1", "POST", PATH)
    assert (message.sender, message.app_instance_id, message.receiver) == ("app.3f2a8c51", APP, "mep.harbour")
    assert (message.status, message.problem) == (200, "")
    record = msgspec.json.encode(message)
    token = msgspec.json.decode(reply.body)["access_token"].encode()
    assert not [part for part in (b"sesame", b"Basic", token) if part in record]


async def test_who_is_refused_is_recorded_as_nobody_with_the_reason(line: Dialogue, watch: Watch) -> None:
    assert (await asked(line, form(client_id=APP, client_secret="guessed"))).status == 401
    assert (await asked(line, b"{}", headers=["content-type: application/json"])).status == 415
    told = [(m.sender, m.status, m.problem) for m in watch.messages]
    assert told == [("nobody", 401, "invalid_client"), ("nobody", 415, "Content-Type not supported")]
    assert b"guessed" not in msgspec.json.encode(watch.messages)


@pytest.mark.parametrize(("method", "status", "allowed"), [("OPTIONS", 204, "OPTIONS, POST"), ("HEAD", 405, "POST")])
async def test_who_asks_what_an_endpoint_takes_is_told_and_sent_no_content(
    line: Dialogue, method: str, status: int, allowed: str
) -> None:
    await line.send(request(method, PATH, headers=FORM))
    told = await asyncio.wait_for(line.reply(body=False), SOON)
    assert (told.status, told.headers["allow"]) == (status, allowed)
    assert (await asked(line, form(client_id=APP, client_secret=SECRET))).status == 200


async def test_an_endpoint_that_breaks_answers_with_a_problem_and_goes_on(line: Dialogue, watch: Watch) -> None:
    reply = await asked(line, form(client_id="broken"))
    problem = msgspec.json.decode(reply.body)
    assert (reply.status, problem["status"], problem["title"]) == (500, 500, "Internal error")
    assert SECRET not in reply.body.decode()
    assert [(m.status, m.problem) for m in watch.messages] == [(500, "Internal error")]
    assert (await asked(line, form(client_id=APP, client_secret=SECRET))).status == 200


async def test_a_form_that_drips_in_is_given_up(line: Dialogue, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_PATIENCE", 0.5)
    await line.send(request("POST", PATH, headers=FORM, length=1000))
    for _ in range(3):
        await asyncio.sleep(0.05)
        with suppress(ConnectionError):  # a busy machine may have given it up by now
            await line.send(b"a")
    reply = await asyncio.wait_for(line.reply(), SOON)
    assert (reply.status, reply.headers["connection"]) == (408, "close")
    assert [m.status for m in watch.messages] == [408]


async def test_a_form_without_end_is_refused(line: Dialogue, watch: Watch) -> None:
    reply = await asked(line, b"a" * 70_000)
    assert reply.status == 413
    assert [m.status for m in watch.messages] == [413]
