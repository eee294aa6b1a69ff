"""Closing an agreement is felt at once, by both sides and in both directions; opening it anew is enough to go on."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from hanse.assembly.identities import Identities
from hanse.assembly.settings import Settings
from hanse.kit.certificates import client_context
from hanse.refpoints.mfm_fed.members import PartnerState
from hanse.scenarios.stage import Stage
from tests.bounds import SOON
from tests.faults.packages import package
from tests.faults.remains import app_at
from tests.faults.stages import closed, federated, offers, opened, stands, until, up
from tests.lateness import lateness

FELT = 1.0
"""Seconds after which nothing of a closed agreement may work."""
BODY = 1_000_000
"""Bytes of a body that is sent at 20,000 a second: longer than a test waits, shorter than an app refuses."""
OTHER = {"north": "south", "south": "north"}
SERVICE = {"north": "speech-recognition", "south": "navigation"}
"""What each operator consumes at the other one."""

pytestmark = pytest.mark.timeout(120)


@dataclass
class Consumer:
    """An app of one operator that consumes a service of the other one."""

    stage: Stage
    operator: str
    host: str
    instance: str

    async def token_and_url(self) -> tuple[str, str]:
        """Its token and the address under which its platform gives it the service."""
        app = app_at(self.stage.operator(self.operator), self.host, self.instance)
        services = await asyncio.to_thread(app.services, SERVICE[self.operator])
        (uri,) = services[0]["transportInfo"]["endpoint"]["uris"]
        return await asyncio.to_thread(app._token.get), f"{uri}/echo"

    async def calls(self) -> int:
        """The status of a short call."""
        try:
            token, url = await self.token_and_url()
        except LookupError:
            return 404
        async with self.session(token) as session, session.post(url, data=b"hello") as answer:
            await answer.read()
            return answer.status

    async def streams(self, running: asyncio.Event) -> float:
        """Begin a call whose body takes a minute; returns the moment at which it was cut."""
        token, url = await self.token_and_url()

        async def slowly() -> AsyncIterator[bytes]:
            while True:
                yield b"." * 1000
                running.set()
                await asyncio.sleep(0.05)

        headers = {"content-length": str(BODY)}
        try:
            async with self.session(token) as session, session.post(url, data=slowly(), headers=headers) as answer:
                await answer.read()
        except aiohttp.ClientError:
            pass
        return time.monotonic()

    def session(self, token: str) -> aiohttp.ClientSession:
        settings = self.stage.operator(self.operator)
        context = ssl.create_default_context(cafile=str(Identities(settings).authority_path))
        connector = aiohttp.TCPConnector(ssl=context)
        return aiohttp.ClientSession(connector=connector, headers={"authorization": f"Bearer {token}"})


class Partner:
    """A partner as it stands at an operator's border, with its certificate: what goes over its connections."""

    def __init__(self, own: Settings, other: Settings) -> None:
        self.name = own.operator.name
        self._context = client_context([Identities(other).authority_path], Identities(own).of_operator())
        self.url = other.federation_url
        self._address = (other.federation.address, other.federation.port)

    async def token(self) -> str:
        """A token of the other's token endpoint."""
        form = urlencode({"grant_type": "client_credentials", "client_id": self.name})
        headers = {"content-type": "application/x-www-form-urlencoded"}
        async with (
            self._session() as session,
            session.post(f"{self.url}/oauth2/token", data=form, headers=headers) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["access_token"])

    async def status(self, token: str) -> int:
        """The status of a call with a token; 0 if no connection comes about."""
        headers = {"authorization": f"Bearer {token}"}
        try:
            async with (
                self._session() as session,
                session.get(f"{self.url}/mff_fed/v1/systems", headers=headers) as answer,
            ):
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def idles(self, connected: asyncio.Event) -> float:
        """Hold a connection without a word; returns the moment at which it was cut."""
        reader, writer = await asyncio.open_connection(*self._address, ssl=self._context)
        connected.set()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        return time.monotonic()

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._context))


async def consumers(stage: Stage) -> list[Consumer]:
    """An app at each operator that offers what the other one's consumes."""
    speech = await asyncio.to_thread(stage.package, "speech", "earshot")
    beacon = await asyncio.to_thread(package, stage.deployment, stage.networks, "beacon")
    _, southern = await stage.on_board("south", speech)
    _, northern = await stage.on_board("north", beacon)
    found = [
        Consumer(stage, "south", "valley", await up(stage, "south", southern, "valley")),
        Consumer(stage, "north", "harbour", await up(stage, "north", northern, "harbour")),
    ]
    for consumer in found:
        assert await until(lambda c=consumer: offers(stage, c.operator, SERVICE[OTHER[c.operator]]))  # type: ignore[misc]
    for consumer in found:
        assert await until(lambda c=consumer: calls(c)), f"{consumer.operator} cannot consume"  # type: ignore[misc]
    return found


async def calls(consumer: Consumer) -> bool:
    return await consumer.calls() == 200


@pytest.mark.parametrize("closing", ["north", "south"])
async def test_closing_cuts_everything_within_a_second_and_opening_brings_it_back(tmp_path: Path, closing: str) -> None:
    async with federated(tmp_path) as stage:
        apps = await consumers(stage)
        partners = [Partner(stage.operator(name), stage.operator(OTHER[name])) for name in OTHER]
        tokens = [await partner.token() for partner in partners]
        assert [await p.status(token) for p, token in zip(partners, tokens, strict=True)] == [200, 200]

        events = [asyncio.Event() for _ in range(4)]
        cuts = [
            *(asyncio.create_task(app.streams(event)) for app, event in zip(apps, events[:2], strict=True)),
            *(asyncio.create_task(p.idles(event)) for p, event in zip(partners, events[2:], strict=True)),
        ]
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in events)), SOON)
        await asyncio.sleep(0.5)
        assert not any(cut.done() for cut in cuts)

        async with lateness() as late:
            await closed(stage, closing, OTHER[closing])
            began = time.monotonic()
            moments = await asyncio.wait_for(asyncio.gather(*cuts), SOON)
            felt = [round(moment - began, 3) for moment in moments]
            assert max(felt) <= FELT + late.seconds, felt
            await asyncio.sleep(max(0.0, began + FELT + late.seconds - time.monotonic()))
        assert [await p.status(token) for p, token in zip(partners, tokens, strict=True)] == [401, 401]
        for name in OTHER:
            assert await stands(stage, name, PartnerState.CLOSED)
        assert [await app.calls() for app in apps] == [404, 404], "nothing is offered any more"

        await opened(stage, closing, OTHER[closing])
        for name in OTHER:
            assert await until(lambda name=name: stands(stage, name, PartnerState.AVAILABLE)), name  # type: ignore[misc]
        assert [await p.status(token) for p, token in zip(partners, tokens, strict=True)] == [401, 401], "old tokens"
        for app in apps:
            assert await until(lambda app=app: calls(app)), f"{app.operator} cannot consume again"  # type: ignore[misc]
