"""A client that does not read its answer holds neither memory nor whoever makes the answer."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from hanse.kit.certificates import Authority, client_context, server_context
from hanse.kit.contract import connection
from hanse.kit.contract.client import client
from hanse.kit.contract.declare import Stream
from tests.bounds import SOON
from tests.unit.kit.contract.harbour import Harbour, Port, Quay, connected, dialogue, listening, request

HOLD = request("GET", "/harbour/v1/ships/Adler/hold")
PIECE = b"x" * 65536
MOST = 32 * 1024 * 1024
"""Bytes that may lie in the buffers of two kernel ends and of TLS; without a bound it is all there are."""


class Bottomless(Quay):
    """A hold without end; tells how much was taken out, and when nobody wants more."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0
        self.let_go = asyncio.Event()

    async def unload(self, name: str) -> Stream:
        return Stream(self._cargo(), "application/zip")

    async def _cargo(self) -> AsyncIterator[bytes]:
        try:
            while True:
                self.taken += len(PIECE)
                yield PIECE
                await asyncio.sleep(0)
        finally:
            self.let_go.set()


class Relay(Quay):
    """Passes on what another quay sends."""

    def __init__(self, far: Harbour) -> None:
        super().__init__()
        self.far = far

    async def unload(self, name: str) -> Stream:
        return await self.far.unload(name)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(connection, "SEND_PATIENCE", 1.0)
    return connection.SEND_PATIENCE


@pytest.mark.parametrize("tls", [False, True])
async def test_who_never_reads_a_download_is_cut_and_its_producer_let_go(
    patience: float, tmp_path: Path, tls: bool
) -> None:
    authority = Authority.ensure(tmp_path, "sea")
    here = authority.issue("quay.1", addresses=("127.0.0.1",), lifetime=timedelta(days=1), directory=tmp_path)
    context = server_context(here, require_client=None) if tls else None
    quay = Bottomless()
    async with listening(Port(quay).server, context) as listener:
        trusting = client_context([authority.certificate_path]) if tls else None
        began = time.monotonic()
        sock = await asyncio.to_thread(_silent, listener.port, trusting, HOLD)
        try:
            await asyncio.wait_for(quay.let_go.wait(), SOON)
            assert time.monotonic() - began > patience / 2
            assert quay.taken < MOST
            assert not listener._state.connections
        finally:
            sock.close()


async def test_who_never_reads_an_answer_from_afar_lets_the_far_producer_go(patience: float) -> None:
    quay = Bottomless()
    async with AsyncExitStack() as stack:
        far = Port(quay)
        transport = await stack.enter_async_context(connected(await stack.enter_async_context(listening(far.server))))
        near = Port(Relay(client(Harbour, far.peer(transport))))
        listener = await stack.enter_async_context(listening(near.server))
        sock = await asyncio.to_thread(_silent, listener.port, None, HOLD)
        try:
            await asyncio.wait_for(quay.let_go.wait(), SOON)
            assert quay.taken < 2 * MOST
        finally:
            sock.close()


async def test_who_reads_slowly_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    patience, port = 2.0, Port()  # for so long a machine may keep the reader from reading
    monkeypatch.setattr(connection, "SEND_PATIENCE", patience)
    port.quay.holds["Adler"] = bytes(24 * 1024 * 1024)
    async with listening(port.server) as listener, dialogue(listener.port) as line:
        await line.send(HOLD)
        reply = await line.reply(body=False)
        size, whole, began = 0, int(reply.headers["content-length"]), time.monotonic()
        while size < whole:
            size += len(await asyncio.wait_for(line.reader.read(1024 * 1024), SOON))
            due = began + 2.5 * patience * size / whole
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        assert size == 24 * 1024 * 1024


@pytest.mark.parametrize("behind", [b"", request("GET", "/harbour/v1/ships")])
async def test_who_goes_away_in_the_middle_ends_the_stream_at_once_and_it_is_no_fault(
    caplog: pytest.LogCaptureFixture, behind: bytes
) -> None:
    quay = Bottomless()
    async with listening(Port(quay).server) as listener:
        async with dialogue(listener.port) as line:
            await line.send(HOLD + behind)
            await line.reply(body=False)
        await asyncio.wait_for(quay.let_go.wait(), SOON)
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []


def _silent(port: int, context: ssl.SSLContext | None, asked: bytes) -> socket.socket:
    """A connection that asks, and never reads."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=SOON)
    if context is not None:
        sock = context.wrap_socket(sock, server_hostname="127.0.0.1")
    sock.sendall(asked)
    return sock
