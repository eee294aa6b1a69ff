"""A host as everybody may or may not call it over Mp1, and another that has heard enough of one app."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from hanse.assembly.limits import LimitSettings
from hanse.kit.certificates import client_context
from hanse.kit.contract.declare import Api
from tests.contract.mp1_host import App, Host, Reply, hosting
from tests.contract.statuses.mp1_examples import EXAMPLES, TAG
from tests.contract.statuses.wish import Wish


@dataclass
class Mp1Place:
    """``stranger`` is another app, or, where no app is named in the path, an element that may not use Mp1."""

    host: Host
    strict: Host
    greedy: App
    other: App
    element: aiohttp.ClientSession
    kept: dict[str, Wish] = field(default_factory=dict)

    async def example(self, api: type[Api], name: str) -> Wish:
        """A call that succeeds, of an app of its own."""
        operation = api.operations[name]
        app, values, body = await EXAMPLES[name](self.host)
        if "app_instance_id" in operation.path_parameters:
            values = values | {"app_instance_id": app.id}
        wish = Wish(api, operation, values, body if operation.body is not None else None, who="owner")
        if name == "read_tags":
            wish = wish.with_query(f"ueIdentityTag={TAG}")
        return wish.with_headers(authorization=f"Bearer {app.token}")

    async def standing(self, api: type[Api], name: str) -> Wish:
        """The same call each time."""
        if name not in self.kept:
            self.kept[name] = await self.example(api, name)
        return self.kept[name]

    async def ask(self, wish: Wish) -> Reply:
        """The answer of the platform."""
        headers = {n: v for n, v in wish.sent_headers().items() if n != "authorization" or wish.who == "owner"}
        base, session = self.host.base, self.host.session
        if wish.who == "greedy":
            base, session = self.strict.base, self.strict.session
            headers["authorization"] = f"Bearer {self.greedy.token}"
        elif wish.who == "stranger" and "app_instance_id" in wish.operation.path_parameters:
            headers["authorization"] = f"Bearer {self.other.token}"
        elif wish.who == "stranger":
            session = self.element
        return await asked(session, base, wish, headers)


async def asked(session: aiohttp.ClientSession, base: str, wish: Wish, headers: dict[str, str]) -> Reply:
    """The answer to a wish."""
    method = wish.method or wish.operation.method
    async with session.request(method, base + wish.target, data=wish.content, headers=headers) as response:
        raw = await response.read()
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, lower, json.loads(raw) if "json" in lower.get("content-type", "") else raw)


@asynccontextmanager
async def mp1_place(directory: Path) -> AsyncIterator[Mp1Place]:
    """Two hosts, on addresses of their own; a tag stands for a device of the first."""
    strict = LimitSettings(requests_per_second=0.0001, burst=1)
    async with hosting(directory / "host", tags=(TAG,)) as host, hosting(directory / "strict", strict) as other:
        wiring = host.built.wiring
        context = client_context([wiring.identities.authority_path], wiring.identities.issue("names.harbour"))
        greedy = await other.app()
        assert (await greedy.call("GET", "/mec_service_mgmt/v1/transports")).status == 200
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as element:
            yield Mp1Place(host, other, greedy, await host.app(), element)


def app_of(wish: Wish, place: Mp1Place) -> App:
    """The app that makes a wish."""
    identifier = wish.values.get("app_instance_id", "")
    return replace(place.other, id=identifier, token=wish.headers["authorization"].removeprefix("Bearer "))
