"""Silent connections of one address keep nobody else out of a listener."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from hanse.kit import places
from hanse.kit.certificates import Authority, client_context, server_context
from hanse.kit.contract import connection, listen
from hanse.kit.contract.client import client
from hanse.kit.contract.listen import Listener
from tests.bounds import SOON
from tests.unit.kit.contract.harbour import Harbour, Port, connected, dialogue, listening, request

MOST = 8
CROWD, ELSE = "127.0.0.7", "127.0.0.1"
ASKED = request("GET", "/harbour/v1/captains/x/log")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen, "SHARE", 2**40)
    monkeypatch.setattr(listen, "FEWEST", MOST)
    monkeypatch.setattr(connection, "HEADER_PATIENCE", 60.0)  # nobody gets in because another one was too slow
    monkeypatch.setattr(places, "PROMPT", 60.0)


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def contexts(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    if not request.param:
        return None, None
    authority = Authority.ensure(tmp_path, "sea")
    here = authority.issue("quay.1", addresses=(ELSE,), lifetime=timedelta(days=1), directory=tmp_path)
    return server_context(here, require_client=None), client_context([authority.certificate_path])


@asynccontextmanager
async def crowd(listener: Listener, size: int, address: str = CROWD) -> AsyncIterator[list[socket.socket]]:
    """Silent connections of one address, of which every one that is cut dials again at once."""
    silent = [_dial(listener.port, address) for _ in range(size)]

    async def refill() -> None:
        while True:
            for place, sock in enumerate(silent):
                if _cut(sock):
                    sock.close()
                    silent[place] = _dial(listener.port, address)
            await asyncio.sleep(0.02)

    again = asyncio.create_task(refill())
    await asyncio.sleep(0.1)
    try:
        yield silent
    finally:
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
        for sock in silent:
            sock.close()


async def test_a_crowd_that_dials_again_and_again_delays_no_other_address(
    contexts: tuple[ssl.SSLContext | None, ssl.SSLContext | None],
) -> None:
    port = Port()
    async with listening(port.server, contexts[0]) as listener, crowd(listener, 3 * MOST):
        for _ in range(5):
            async with connected(listener, contexts[1]) as transport:
                began = time.monotonic()
                assert await client(Harbour, port.peer(transport)).log("x") == "x"
                assert time.monotonic() - began < SOON, "a crowd is waited for, which stays a minute"
        assert len(listener._places) <= MOST
        async with asyncio.timeout(SOON):
            while len(listener._state.connections) > MOST:  # noqa: ASYNC110 (some may be on their way out)
                await asyncio.sleep(0.005)


async def test_who_was_let_in_stays_while_a_crowd_presses(
    contexts: tuple[ssl.SSLContext | None, ssl.SSLContext | None],
) -> None:
    port = Port()
    async with listening(port.server, contexts[0]) as listener, connected(listener, contexts[1]) as transport:
        harbour = client(Harbour, port.peer(transport))
        await harbour.log("x")
        [inside] = listener._state.connections
        async with crowd(listener, 3 * MOST, ELSE):
            assert await harbour.log("x") == "x"
            assert inside in listener._state.connections


async def test_one_who_is_refused_counts_as_a_stranger_still() -> None:
    async with listening(Port().server) as listener:
        thieves = [_dial(listener.port, CROWD) for _ in range(MOST)]
        for sock in thieves:
            sock.sendall(request("GET", "/harbour/v1/ships", headers=["authorization: nobody"]))
        await asyncio.sleep(0.2)
        async with dialogue(listener.port) as line:
            await line.send(ASKED)
            assert (await asyncio.wait_for(line.reply(), SOON)).status == 200
        for sock in thieves:
            sock.close()


async def test_at_an_address_that_a_crowd_shares_the_silent_give_way_to_the_prompt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "PROMPT", 0.05)
    async with listening(Port().server) as listener:
        silent = [_dial(listener.port, ELSE) for _ in range(MOST)]
        async with asyncio.timeout(SOON):
            while len(listener._places) < MOST:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        async with dialogue(listener.port) as line:
            await line.send(ASKED)
            assert (await asyncio.wait_for(line.reply(), SOON)).status == 200
        assert [_cut(sock) for sock in silent] == [True] + [False] * (MOST - 1)
        for sock in silent:
            sock.close()


async def test_places_are_free_again_when_their_holders_have_gone(
    contexts: tuple[ssl.SSLContext | None, ssl.SSLContext | None],
) -> None:
    async with listening(Port().server, contexts[0]) as listener:
        for _ in range(3):
            for sock in [_dial(listener.port, CROWD) for _ in range(2 * MOST)]:
                sock.close()
            async with asyncio.timeout(SOON):
                while len(listener._places) or listener._greeted:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)


def _dial(port: int, address: str) -> socket.socket:
    sock = socket.create_connection((ELSE, port), timeout=SOON, source_address=(address, 0))
    sock.setblocking(False)
    return sock


def _cut(sock: socket.socket) -> bool:
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
