"""A thousand subscribers of whom some are dead and some do not answer: all others are told of all changes, in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from hanse.kit import callbacks as callbacks_module
from hanse.kit.callbacks import Callbacks, CallbackTo
from hanse.kit.contract.call import Caller
from hanse.kit.contract.observe import Silence
from hanse.kit.outbox import Outbox
from hanse.kit.store import Store, Transaction
from hanse.kit.values import Value

SUBSCRIBERS, SLOW, DEAD = 1000, 250, 50
CHANGES = (0, 1, 2)
PROMPT = SUBSCRIBERS - SLOW - DEAD


class Change(Value):
    number: int


class Crowd:
    """Subscribers on one server: those at ``/slow/7`` answer only once all at ``/prompt/7`` have been told all."""

    def __init__(self) -> None:
        self.got: dict[str, list[int]] = {}
        self.base = ""
        self.told = asyncio.Event()
        self.slow_told = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        change, slow = (await request.json())["number"], request.path.startswith("/slow")
        if slow:
            await self.told.wait()
        self.got.setdefault(request.path, []).append(change)
        of_kind = [got for path, got in self.got.items() if path.startswith("/slow") is slow] if change == 2 else []
        if len(of_kind) == (SLOW if slow else PROMPT) and all(len(got) == len(CHANGES) for got in of_kind):
            (self.slow_told if slow else self.told).set()
        return web.Response(status=204)

    def url(self, number: int) -> str:
        """Where a subscriber listens: the dead and the slow come first."""
        if number < DEAD:
            return "http://127.0.0.1:9/dead"
        return f"{self.base}/{'slow' if number < DEAD + SLOW else 'prompt'}/{number}"


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    made, application = Crowd(), web.Application()
    application.router.add_post("/{rest:.*}", made.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    made.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    made.told.set()
    await runner.cleanup()


@pytest.mark.timeout(120)
async def test_dead_and_slow_subscribers_delay_nobody_else(
    crowd: Crowd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks_module, "PATIENCE", 100.0)  # nobody is saved by giving up on the slow
    store = Store(tmp_path / "store.db")
    outbox = Outbox(store)
    callbacks = Callbacks(Caller(role="mep", name="mep.harbour", operator="north"), "Mp1", Silence())
    outbox.handle("notification", callbacks.deliver)
    await outbox.start()

    def tell(tx: Transaction, change: int) -> None:
        for number in range(SUBSCRIBERS):
            to = CallbackTo.of(crowd.url(number), Change(number=change), "app")
            outbox.emit(tx, "notification", str(number), to)

    try:
        began = time.monotonic()
        for change in CHANGES:
            await store.commit(lambda tx, change=change: tell(tx, change))  # type: ignore[misc]
        async with asyncio.timeout(80):
            await crowd.told.wait()
        print(f"{PROMPT} of {SUBSCRIBERS} were told {len(CHANGES)} changes in {time.monotonic() - began:.2f} s")
        async with asyncio.timeout(80):
            await crowd.slow_told.wait()
        assert len(crowd.got) == PROMPT + SLOW
        assert {tuple(got) for got in crowd.got.values()} == {CHANGES}
    finally:
        await outbox.close()
        await callbacks.close()
        store.close()
