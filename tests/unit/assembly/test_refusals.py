"""A stranger who asks for tokens without end leaves a few records, and pushes nothing out of the journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hanse.assembly import refusals
from hanse.assembly.refusals import ELSEWHERE, MOST_HELD, Refusals
from hanse.assembly.token_endpoint import TokenEndpoint
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.observe import Message
from hanse.kit.telemetry.journal import Journal
from hanse.kit.telemetry.journal_file import decode
from hanse.kit.tokens import Client, Credentials, TokenIssuer, hash_secret, token_endpoint
from tests.unit.kit.contract.harbour import Watch

SECRET = "open sesame, and let all forty thieves in"
FLOOD = 5000


def message(status: int = 401, problem: str = "invalid_client") -> Message:
    return Message(
        operator="north",
        trace="t",
        span="s",
        reference_point="Mp1",
        sender="nobody",
        receiver="mep.harbour",
        operation="token",
        method="POST",
        path="/oauth2/token",
        status=status,
        problem=problem,
    )


async def test_the_first_is_told_at_once_and_the_others_as_one_with_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refusals, "PERIOD", 0.05)
    watch = Watch()
    held = Refusals(watch)
    for _ in range(FLOOD):
        held.saw(message(), "192.0.2.1")
    assert [(m.count, m.problem) for m in watch.messages] == [(1, "invalid_client")]
    await asyncio.sleep(0.1)
    told = f"invalid_client ({FLOOD - 1} more from 192.0.2.1)"
    assert [(m.count, m.problem) for m in watch.messages] == [(1, "invalid_client"), (FLOOD - 1, told)]
    held.saw(message(), "192.0.2.1")
    await asyncio.sleep(0.1)
    assert len(watch.messages) == 3, "one refusal leaves one record, and a new minute begins with one"


async def test_addresses_and_statuses_are_told_apart_until_there_are_too_many() -> None:
    watch = Watch()
    held = Refusals(watch)
    for number in range(FLOOD):
        held.saw(message(), f"2001:db8::{number:x}")
    assert len(watch.messages) == MOST_HELD + 1
    held.saw(message(405, "Method BREW not supported"), "2001:db8::0")
    assert [m.status for m in watch.messages[-1:]] == [405]
    await held.close()
    assert sum(m.count for m in watch.messages) == FLOOD + 1
    assert f"({FLOOD - MOST_HELD - 1} more from {ELSEWHERE})" in watch.messages[-1].problem
    await held.close()
    assert sum(m.count for m in watch.messages) == FLOOD + 1, "closed twice, nothing is told twice"


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[tuple[TokenEndpoint, Journal]]:
    """A token endpoint with one client, over a real journal of 64 KiB."""
    credentials = Credentials([Client(client_id="app", audience=("https://p",), secret_hash=hash_secret(SECRET))])
    issuer = TokenIssuer(tmp_path / "tokens.pem", issuer="https://p")
    with Journal(tmp_path / "journal", "mep", limit=64 * 1024) as journal:
        made = TokenEndpoint(
            lambda form, header, _scope: token_endpoint(form, header, credentials=credentials, issuer=issuer),
            Gate("mep", "mep.harbour", "north", Guard([]), journal),
            "Mp1",
        )
        yield made, journal


async def asked(endpoint: TokenEndpoint, secret: str, method: str = "POST") -> int:
    """One request, as a server hands it over; the status of the answer."""
    form = f"grant_type=client_credentials&client_id=app&client_secret={secret}".encode()
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"method": method, "path": "/oauth2/token", "headers": headers, "client": ("192.0.2.9", 4711)}
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": form, "more_body": False}

    async def send(part: Any) -> None:
        sent.append(part)

    await endpoint(scope, receive, send)
    return int(sent[0]["status"])


async def test_a_flood_of_guesses_and_odd_methods_leaves_what_matters_in_the_journal(
    endpoint: tuple[TokenEndpoint, Journal],
) -> None:
    tokens, journal = endpoint
    assert await asked(tokens, SECRET.replace(" ", "+")) == 200
    for number in range(FLOOD // 2):
        assert await asked(tokens, f"guess-{number}") == 401
        assert await asked(tokens, SECRET, f"BREW{number}" * 500) == 405
    assert await asked(tokens, SECRET.replace(" ", "+")) == 200
    await tokens.close()
    assert await asyncio.to_thread(journal.flush)
    lines = [line for file in journal.path.parent.iterdir() for line in file.read_bytes().splitlines()]
    records = [record for record in map(decode, lines) if record is not None]
    assert [(r.status, r.sender) for r in records if r.status == 200] == [(200, "app.app")] * 2
    counted = {status: sum(r.count for r in records if r.status == status) for status in (401, 405)}
    assert counted == {401: FLOOD // 2, 405: FLOOD // 2}
    assert len(records) == 6
    assert sum(len(line) for line in lines) < 4096
