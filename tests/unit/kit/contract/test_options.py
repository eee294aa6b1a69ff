"""Whoever asks what a path takes is told, without trying each method (RFC 9110, 9.3.7)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.kit.contract.harbour import Dialogue, Port, dialogue, listening, request

SHIP = "/harbour/v1/ships/Adler"


@pytest.fixture
async def line() -> AsyncIterator[Dialogue]:
    async with listening(Port().server) as listener, dialogue(listener.port) as line:
        yield line


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        (SHIP, "DELETE, GET, HEAD, OPTIONS, PUT"),
        (f"{SHIP}/", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("/harbour/v2/ships", "GET, HEAD, OPTIONS, POST"),
        (f"{SHIP}/repair", "OPTIONS, POST"),
    ],
)
async def test_a_client_learns_what_a_path_takes_and_nothing_is_done(line: Dialogue, target: str, allowed: str) -> None:
    await line.send(request("OPTIONS", target))
    told = await line.reply()
    assert (told.status, told.headers["allow"], told.headers.get("content-length")) == (204, allowed, None)
    await line.send(request("GET", "/harbour/v1/ships"))
    assert (await line.reply()).body == b"[]", "the connection goes on where the answer ended"


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [("/nowhere", (), 404), (SHIP, ("authorization: nobody",), 401), (f"{SHIP}?{'x' * 9000}", (), 414)],
)
async def test_what_other_methods_are_refused_for_it_is_refused_for_too(
    line: Dialogue, target: str, headers: tuple[str, ...], status: int
) -> None:
    await line.send(request("OPTIONS", target, headers=headers))
    assert (await line.reply()).status == status


async def test_what_is_passed_on_whole_is_asked_at_its_end(line: Dialogue) -> None:
    await line.send(request("OPTIONS", "/harbour/v1/pilots/Jan/help", headers=("connection: close",)))
    answer = await line.rest()
    assert answer.startswith(b"HTTP/1.1 418")
    assert b"OPTIONS help" in answer
