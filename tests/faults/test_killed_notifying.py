"""A platform that is killed while it tells its subscribers has told them all, in order, when it has come back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.faults.notifier import SUBSCRIBERS

CHANGES = 3
EXPECTED = [("ADDED", "ACTIVE"), ("STATE_CHANGED", "INACTIVE"), ("STATE_CHANGED", "ACTIVE")]
MOST = 40
"""No run has as many effects of one kind: a bound for a loop that ends when the run does."""


class Subscribers:
    """What each subscriber was told, as it came."""

    def __init__(self) -> None:
        self.url = ""
        self.told: dict[str, list[tuple[str, str]]] = {}

    async def take(self, request: web.Request) -> web.Response:
        (change,) = (await request.json())["serviceReferences"]
        self.told.setdefault(request.path, []).append((change["changeType"], change["state"]))
        return web.Response(status=204)


@pytest.fixture
async def subscribers() -> AsyncIterator[Subscribers]:
    made, application = Subscribers(), web.Application()
    application.router.add_post("/{number}", made.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def run(store: Path, url: str, failpoint: str) -> int:
    """Run the platform until it ends or dies; its exit status."""
    environment: dict[str, Any] = os.environ | {"HANSE_FAILPOINT": failpoint}
    arguments = ("-m", "tests.faults.notifier", str(store), url, str(CHANGES))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, env=environment)
    try:
        async with asyncio.timeout(30):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "failpoint", ["mp1.callback:before", "mp1.callback:after", "store.commit:before", "store.commit:after"]
)
async def test_no_notification_is_lost_whenever_the_platform_is_killed(
    subscribers: Subscribers, tmp_path: Path, failpoint: str
) -> None:
    kills = 0
    for number in range(1, MOST):
        subscribers.told.clear()
        store = tmp_path / f"{number}.db"
        died = await run(store, subscribers.url, f"{failpoint}@{number}") == -signal.SIGKILL
        if died:
            kills += 1
            assert await run(store, subscribers.url, "") == 0
        assert len(subscribers.told) == SUBSCRIBERS
        for told in subscribers.told.values():
            assert [change for change, _ in groupby(told)] == EXPECTED, f"killed at {failpoint}@{number}"
        if not died:
            break
    print(f"{failpoint}: killed {kills} times")
    assert CHANGES <= kills < MOST - 1
