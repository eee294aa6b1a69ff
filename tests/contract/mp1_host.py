"""A host of north as its apps see it: a real platform, data plane and name server, spoken to over TLS."""

from __future__ import annotations

import asyncio
import json
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from hanse.assembly.authentication import element_caller
from hanse.assembly.builders import Built
from hanse.assembly.limits import LimitSettings
from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.kit.certificates import client_context
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.transport import HttpTransport
from hanse.model.descriptor.services import ServiceDescriptor
from hanse.model.descriptor.traffic import DNSRuleDescriptor, TrafficRuleDescriptor
from hanse.refpoints.mm3.management import FoundService, PlatformReport, ServiceWanted
from hanse.refpoints.mm5.platform import AppAccess, AppConfiguration, ManagerLookup, PlatformConfiguration
from tests.bounds import SOON
from tests.contract.wired import deployed, listening, put_together, taken_apart


@dataclass(frozen=True)
class Reply:
    """An answer as an app reads it."""

    status: int
    headers: dict[str, str]
    body: Any


def refused(reply: Reply, status: int, *words: str) -> None:
    """The answer is a problem of this status that says these words."""
    assert reply.status == status, reply
    assert reply.headers["content-type"] == "application/problem+json"
    assert (reply.body["status"], reply.body["type"]) == (status, "about:blank")
    assert all(word in f"{reply.body['title']} {reply.body['detail']}" for word in words), reply.body


@dataclass
class App:
    """An app of the host: it has a token and speaks HTTP."""

    id: str
    base: str
    session: aiohttp.ClientSession
    token: str
    volume: str = ""

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request; ``path`` is below the platform's URL or a whole URI, ``_`` in a header's name is a hyphen."""
        sent = {"authorization": f"Bearer {self.token}"} | {n.replace("_", "-"): v for n, v in headers.items()}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("content-type", "application/json")
        url = path if path.startswith("https://") else self.base + path
        async with self.session.request(method, url, data=data, headers=sent) as response:
            raw = await response.read()
            lower = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, lower, json.loads(raw) if raw else None)

    async def support(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """A request below the app's own application support."""
        return await self.call(method, f"/mec_app_support/v2/applications/{self.id}{path}", body, **headers)

    async def services(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """A request below the app's own service management."""
        return await self.call(method, f"/mec_service_mgmt/v1/applications/{self.id}{path}", body, **headers)


class NoManager(ManagerLookup):
    """The platform manager, which is not the matter here: it takes reports and finds nothing."""

    async def find_service(self, query: ServiceWanted) -> list[FoundService]:
        return []

    async def report_services(self, host: str, report: PlatformReport) -> None:
        return


@dataclass
class Host:
    """The host, and what a platform manager asks of its platform (Mm5)."""

    built: Built
    mm5: PlatformConfiguration
    session: aiohttp.ClientSession
    base: str

    @property
    def data_plane(self) -> UserspaceDataPlane:
        """The data plane, to see what the platform asked of it."""
        plane = self.built.part("data_plane.harbour")
        assert isinstance(plane, UserspaceDataPlane)
        return plane

    @property
    def names(self) -> EmbeddedNames:
        """The name server, to see what the platform asked of it."""
        names = self.built.part("names.harbour")
        assert isinstance(names, EmbeddedNames)
        return names

    async def app(
        self,
        *produced: str,
        traffic: tuple[TrafficRuleDescriptor, ...] = (),
        names: tuple[DNSRuleDescriptor, ...] = (),
        address: str = "127.0.0.9",
        port: int = 8080,
        storage: int = 0,
    ) -> App:
        """An app that is configured and has a token."""
        identifier = str(uuid.uuid4())
        configuration = AppConfiguration(
            app_instance_id=identifier,
            app_d_id="descriptor",
            app_name="app",
            app_provider="provider",
            tenant="acme",
            address=address,
            port=port,
            traffic_rules=traffic,
            dns_rules=names,
            services_produced=tuple(ServiceDescriptor(ser_name=name, version="1.0") for name in produced),
            storage=storage,
        )
        access = await self.mm5.configure(identifier, configuration)
        return App(identifier, self.base, self.session, await self._token(access), access.volume)

    async def _token(self, access: AppAccess) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": access.client_id,
            "client_secret": access.client_secret,
        }
        async with self.session.post(access.token_url, data=form) as response:
            assert response.status == 200, await response.text()
            return str((await response.json())["access_token"])


@dataclass
class Receiver:
    """An app's own HTTP server for callbacks: answers with the statuses it was given, then with 204."""

    url: str
    answers: list[int] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """One callback."""
        assert request.content_type == "application/json"
        self.got.append(await request.json())
        self.news.set()
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    async def wait(self, count: int) -> list[Any]:
        """What came, once that many have."""
        async with asyncio.timeout(SOON):
            while len(self.got) < count:
                self.news.clear()
                await self.news.wait()
        return self.got


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine."""
    application = web.Application()
    runner = web.AppRunner(application)
    receiver = Receiver("")
    application.router.add_post("/callback", receiver.take)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def hosting(
    directory: Path, limits: LimitSettings | None = None, tags: tuple[str, ...] = ()
) -> AsyncIterator[Host]:
    """The host harbour of north, running, on addresses of its own.

    ``limits``: if it shall have some; ``tags``: UE identity tags that stand for the device alice.
    """
    with deployed(directory) as deployment:
        if tags:
            north = deployment.operators["north"]
            alice = msgspec.structs.replace(north.devices["alice"], tags=tags)
            deployment.operators["north"] = msgspec.structs.replace(north, devices=north.devices | {"alice": alice})
        if limits is not None:
            deployment.operators["north"] = msgspec.structs.replace(deployment.operators["north"], limits=limits)
        built = put_together(deployment, ["mep.harbour", "data_plane.harbour", "names.harbour", "federation_manager"])
        wiring = built.wiring
        wiring.provide(wiring.elements["mepm.harbour"], {ManagerLookup: NoManager()})
        bound = listening(built)
        for listener in bound.values():
            await listener.start()
        await wiring.start()
        mep, mepm = wiring.elements["mep.harbour"], wiring.elements["mepm.harbour"]
        trust = [wiring.identities.authority_path]
        transport = HttpTransport(mep.url, client_context(trust, wiring.identities.of_element(mepm)), name="mep")
        peer = Peer("mep.harbour", transport, element_caller("north", "mepm.harbour"), "Mm5", Silence())
        session = _session(client_context(trust))
        try:
            yield Host(built, client(PlatformConfiguration, peer), session, mep.url)
        finally:
            await session.close()
            await transport.close()
            await taken_apart(built, bound)


def _session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context), timeout=aiohttp.ClientTimeout(total=SOON), auto_decompress=False
    )
