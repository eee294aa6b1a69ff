"""An element that knows its callers by their certificates, as each of them calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec

from hanse.assembly.identities import Identities
from hanse.assembly.limits import LimitSettings
from hanse.kit.certificates import client_context
from tests.contract.mp1_host import Reply
from tests.contract.statuses.mp1_place import asked
from tests.contract.statuses.wish import Wish
from tests.contract.wired import deployed, listening, put_together, taken_apart

STRICT = LimitSettings(requests_per_second=0.0001, burst=1, elements=True)


@dataclass
class Callers:
    """A session for each who may call, by the name of the element that it is; ``""`` shows no certificate.

    ``strict`` is another element of the kind, which has heard enough of every one of them.
    """

    base: str
    sessions: Mapping[str, aiohttp.ClientSession]
    strict: str
    strict_sessions: Mapping[str, aiohttp.ClientSession]

    async def ask(self, wish: Wish, owner: str, stranger: str = "names.harbour") -> Reply:
        """The answer to a wish, where ``owner`` may call the operation and ``stranger`` may not."""
        headers = wish.sent_headers()
        if wish.who == "greedy":
            return await asked(self.strict_sessions[owner], self.strict, wish, headers)
        who = {"owner": owner, "stranger": stranger, "nobody": ""}[wish.who]
        return await asked(self.sessions[who], self.base, wish, headers)


@asynccontextmanager
async def callers(
    base: str, identities: Identities, element: str, names: tuple[str, ...], directory: Path
) -> AsyncIterator[Callers]:
    """Callers of an element at ``base``; the strict one lives in ``directory``."""
    async with AsyncExitStack() as stack:
        sessions = {name: await stack.enter_async_context(_session(identities, name)) for name in ("", *names)}
        strict, strict_identities = await stack.enter_async_context(_strict(directory, element))
        again = {name: await stack.enter_async_context(_session(strict_identities, name)) for name in names}
        for session in again.values():
            async with session.get(f"{strict}/"):  # the one call that it may make
                pass
        yield Callers(base, sessions, strict, again)


@asynccontextmanager
async def _session(identities: Identities, name: str) -> AsyncIterator[aiohttp.ClientSession]:
    identity = identities.issue(name) if name else None
    context = client_context([identities.authority_path], identity)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        yield session


@asynccontextmanager
async def _strict(directory: Path, element: str) -> AsyncIterator[tuple[str, Identities]]:
    with deployed(directory) as deployment:
        north = msgspec.structs.replace(deployment.operators["north"], limits=STRICT)
        deployment.operators["north"] = north
        built = put_together(deployment, [element])
        bound = listening(built)
        for listener in bound.values():
            await listener.start()
        try:
            yield built.wiring.elements[element].url, built.wiring.identities
        finally:
            await taken_apart(built, bound)
