"""The federation managers and borders of two operators in this process, each spoken to as its orchestrators do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from hanse.assembly.builders import Built
from hanse.assembly.deployment import Deployment
from hanse.kit.certificates import client_context
from hanse.kit.contract.listen import Listener
from tests.bounds import SOON
from tests.contract.mp1_host import Reply
from tests.contract.wired import deployed, listening, put_together, taken_apart

ELEMENTS = ["federation_manager", "border"]


@dataclass
class Manager:
    """A federation manager, with two orchestrators that know it: ``meo`` and ``meo.second``."""

    base: str
    sessions: dict[str, aiohttp.ClientSession]
    built: Built
    bound: dict[str, Listener]

    async def call(self, method: str, path: str, body: Any = None, *, by: str = "meo", media: str = "") -> Reply:
        """One request of an orchestrator."""
        headers = {"content-type": media or "application/json"} if body is not None else {}
        data = None if body is None else json.dumps(body).encode()
        url = path if path.startswith("https://") else self.base + path
        async with self.sessions[by].request(method, url, data=data, headers=headers) as response:
            raw = await response.read()
            lower = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, lower, json.loads(raw) if raw else None)

    async def settled(self, path: str, wanted: Any) -> Any:
        """What is at a path, once it is as wanted; fails if it never is."""
        async with asyncio.timeout(SOON):
            while True:
                reply = await self.call("GET", path)
                assert reply.status == 200, reply
                if wanted(reply.body):
                    return reply.body
                await asyncio.sleep(0.1)


@asynccontextmanager
async def managing(deployment: Deployment, operator: str) -> AsyncIterator[Manager]:
    """One operator's manager and border, running."""
    built = put_together(deployment, ELEMENTS, operator)
    wiring, bound = built.wiring, listening(built)
    sessions = {}
    for name in ("meo", "meo.second"):
        context = client_context([wiring.identities.authority_path], wiring.identities.issue(name))
        sessions[name] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
    for listener in bound.values():
        await listener.start()
    await wiring.start()
    try:
        yield Manager(wiring.elements["federation_manager"].url, sessions, built, bound)
    finally:
        await asyncio.gather(*(session.close() for session in sessions.values()))
        await taken_apart(built, bound)


@dataclass
class Federation:
    """North's manager, and south's, which can be taken away."""

    north: Manager
    south: Manager
    rest: AsyncExitStack

    async def south_ends(self) -> None:
        """Stop everything of south."""
        await self.rest.aclose()


@asynccontextmanager
async def federating(directory: Path) -> AsyncIterator[Federation]:
    """Two operators that form a federation, on addresses of their own."""
    with deployed(directory) as deployment:
        async with managing(deployment, "north") as north, AsyncExitStack() as rest:
            yield Federation(north, await rest.enter_async_context(managing(deployment, "south")), rest)
