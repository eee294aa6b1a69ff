"""What a client reads of an answer's head: fields as the standards print them, a date, how the connection goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, MutableMapping
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from hanse.kit.contract import dates
from hanse.kit.contract.answer import deliver
from hanse.kit.contract.asgi import ANSWER_AT_ONCE
from hanse.kit.contract.spelling import beginning
from tests.bounds import SOON
from tests.unit.kit.contract.harbour import Dialogue, Port, Ship, dialogue, listening, request

SHIP = "/harbour/v1/ships/Adler"


@pytest.fixture
async def line() -> AsyncIterator[Dialogue]:
    port = Port()
    port.quay.ships["Adler"] = Ship(name="Adler", crew=7)
    port.quay.holds["Adler"] = b"x" * 2000
    async with listening(port.server) as listener, dialogue(listener.port) as line:
        yield line


async def head(line: Dialogue, *asked: bytes) -> list[str]:
    """The lines of the next answer's head."""
    await line.send(*asked)
    raw = await asyncio.wait_for(line.reader.readuntil(b"\r\n\r\n"), SOON)
    return raw.decode("latin-1").strip().split("\r\n")


def names(lines: list[str]) -> set[str]:
    return {line.partition(":")[0] for line in lines[1:]}


@pytest.mark.parametrize(
    ("asked", "printed"),
    [
        (request("GET", SHIP), {"Content-Type", "Content-Length", "ETag", "Date"}),
        (request("HEAD", SHIP), {"Content-Type", "Content-Length", "ETag", "Date"}),
        (request("GET", SHIP, headers=('if-none-match: "7"',)), {"ETag", "Date"}),
        (request("POST", "/harbour/v1/ships", b'{"name": "Bunte Kuh"}'), {"Location", "Content-Type"}),
        (request("POST", f"{SHIP}/repair"), {"Location", "Content-Length", "Date"}),
        (request("PATCH", SHIP), {"Allow", "Content-Type", "Hanse-Problem"}),
        (request("DELETE", SHIP), {"Date"}),
    ],
)
async def test_a_client_that_looks_for_content_type_as_it_is_printed_finds_it(
    line: Dialogue, asked: bytes, printed: set[str]
) -> None:
    found = names(await head(line, asked))
    assert printed <= found
    assert not {name for name in found if name.islower()}


@pytest.mark.parametrize(
    ("name", "printed"),
    [(b"etag", b"ETag: "), (b"www-authenticate", b"WWW-Authenticate: "), (b"x-of-ours", b"X-Of-Ours: ")],
)
def test_names_of_several_words_and_of_letters_alone_are_printed_as_usual(name: bytes, printed: bytes) -> None:
    assert beginning(name) == printed


@pytest.mark.parametrize(
    "asked", [request("GET", SHIP), request("GET", f"{SHIP}/hold"), request("GET", "/nowhere"), b"?"]
)
async def test_every_answer_says_when_it_was_made(line: Dialogue, asked: bytes) -> None:
    dated = [part for part in await head(line, asked) if part.lower().startswith("date:")]
    assert len(dated) == 1
    assert abs(parsedate_to_datetime(dated[0].partition(": ")[2]).timestamp() - time.time()) < 30


async def test_an_answer_that_must_wait_for_its_client_says_when_it_was_made() -> None:
    told: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    await deliver((404, [], b""), {"method": "GET", ANSWER_AT_ONCE: lambda *_: False}, send)
    assert [name for name, _ in told[0]["headers"]] == [b"date"]


def test_the_date_goes_on_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for now, text in ((0.9, b"Thu, 01 Jan 1970 00:00:00 GMT"), (86400.0, b"Fri, 02 Jan 1970 00:00:00 GMT")):
        monkeypatch.setattr("hanse.kit.contract.dates.time.time", lambda now=now: now)
        assert dates.today() == text


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
async def test_who_wants_the_connection_closed_finds_it_closed_after_the_answer(line: Dialogue, method: str) -> None:
    lines = await head(line, request(method, SHIP, headers=("connection: close",)))
    assert lines.count("Connection: close") == 1
    rest = await asyncio.wait_for(line.rest(), SOON)
    assert bool(rest) == (method == "GET")


async def test_a_client_of_http_1_0_gets_an_answer_and_the_end(line: Dialogue) -> None:
    lines = await head(line, f"GET {SHIP} HTTP/1.0\r\nauthorization: pilot\r\n\r\n".encode())
    assert "Connection: close" in lines
    assert await asyncio.wait_for(line.rest(), SOON)


async def test_a_body_that_is_refused_unread_ends_the_connection_once(line: Dialogue) -> None:
    asked = request("POST", "/harbour/v1/ships", b"{", headers=("content-type: application/json",), length=2_000_000)
    lines = await head(line, asked)
    assert lines[0].startswith("HTTP/1.1 413")
    assert [text.lower() for text in lines].count("connection: close") == 1


async def test_answers_without_content_leave_the_next_answer_in_its_place(line: Dialogue) -> None:
    unchanged = request("GET", SHIP, headers=('if-none-match: "7"',))
    await line.send(unchanged, request("HEAD", SHIP), request("OPTIONS", SHIP), request("GET", SHIP))
    told = [await asyncio.wait_for(line.reply(body=last), SOON) for last in (False, False, False, True)]
    assert [reply.status for reply in told] == [304, 200, 204, 200]
    assert b"Adler" in told[3].body


async def test_a_path_is_the_same_in_any_spelling_and_a_name_stays_a_name(line: Dialogue) -> None:
    for target in ("/harbour/v1/%73hips/Adler", "/%68arbour/v1/ships/%41dler"):
        assert (await head(line, request("HEAD", target)))[0] == "HTTP/1.1 200 OK", target
    assert (await head(line, request("HEAD", "/harbour/v1/ships%2FAdler")))[0].startswith("HTTP/1.1 404")
