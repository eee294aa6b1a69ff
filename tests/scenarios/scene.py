"""Two operators on a stage with the applications of use case 5 up, and what a test does to them from outside."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from hanse.assembly.administration import administration
from hanse.assembly.identities import Identities
from hanse.assembly.onboarding import bring_up, on_board
from hanse.assembly.settings import Settings
from hanse.kit.certificates import Identity, client_context
from hanse.refpoints.mfm_fed.members import PartnerState
from hanse.scenarios.stage import Stage
from tests.faults.nursery import Born

PATIENCE = 20.0
"""Seconds that a test waits for what must come."""
DISCOVERY = "/mec_service_mgmt/v1/services?ser_name=speech-recognition"
"""The navigation app's question for services that only the partner has."""
_DAY = timedelta(days=1)


class Told(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


async def ask(
    method: str,
    url: str,
    context: ssl.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    patience: float = PATIENCE,
) -> Told:
    """One request on a connection of its own; raises what aiohttp raises when there is no answer."""
    data = json.dumps(body).encode() if isinstance(body, dict | list) else body
    kind = {"content-type": "application/json"} if isinstance(body, dict | list) else {}
    connector = aiohttp.TCPConnector(ssl=context or True, force_close=True)
    timeout = aiohttp.ClientTimeout(total=patience)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
        session.request(method, url, data=data, headers={**kind, **(headers or {})}, allow_redirects=False) as answer,
    ):
        return Told(answer.status, dict(answer.headers), await answer.read())


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"authorization": f"Bearer {token}"}


class App:
    """An application that runs: its process, and what the system told it (the user of the test may read that)."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        lines = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        self.environment = dict(line.decode().split("=", 1) for line in lines if b"=" in line)
        self.identifier = self.environment.get("MEC_APP_INSTANCE_ID", "")
        self.platform = self.environment.get("MEC_PLATFORM_URL", "")

    @property
    def support(self) -> str:
        """Its own resources at mec_app_support."""
        return f"{self.platform}/mec_app_support/v2/applications/{self.identifier}"

    @property
    def services(self) -> str:
        """Its own services at mec_service_mgmt."""
        return f"{self.platform}/mec_service_mgmt/v1/applications/{self.identifier}/services"

    def context(self) -> ssl.SSLContext:
        """TLS as the application has it."""
        return client_context([Path(f"/proc/{self.pid}/cwd") / self.environment["MEC_PLATFORM_CA"]])

    async def token(self) -> str:
        """A fresh token."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.environment["MEC_CLIENT_ID"],
            "client_secret": self.environment["MEC_CLIENT_SECRET"],
        }
        told = await ask("POST", self.environment["MEC_TOKEN_URL"], self.context(), body=aiohttp.FormData(form))
        return str(told.value["access_token"])

    async def ask(self, method: str, url: str, body: Any = None) -> Told:
        """One request at its own platform."""
        return await ask(method, url, self.context(), bearer(await self.token()), body)


class Scene:
    """A stage on which use case 5 is set up: navigation at north, speech recognition on both southern hosts."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.north, self.south = stage.operator("north"), stage.operator("south")
        self.packages: dict[str, tuple[str, str]] = {}
        self.instances: dict[str, str] = {}

    async def start(self) -> None:
        """Start both operators; they find each other."""
        await self.stage.start()
        for settings in (self.north, self.south):
            await until_available(settings)

    async def bring_up(self, northern: str = "administrator", southern: str = "administrator") -> None:
        """On-board and instantiate the applications, for an administrator or for customers."""
        navigation = await asyncio.to_thread(self.stage.package, "navigation", "wayfinder")
        speech = await asyncio.to_thread(self.stage.package, "speech", "earshot")
        async with administration(self.north, northern) as north, administration(self.south, southern) as south:
            for name, oss, archive in (("navigation", north, navigation), ("speech", south, speech)):
                info = await on_board(oss.packages, archive)
                self.packages[name] = (info.id, str(info.app_d_id))
            home = next(iter(self.north.hosts.values()))
            places = {name: host.zone.zone().position for name, host in self.south.hosts.items()}
            started = await asyncio.gather(
                bring_up(north.lifecycle, self.packages["navigation"][1], home.zone.zone().position),
                *(bring_up(south.lifecycle, self.packages["speech"][1], place) for place in places.values()),
            )
        self.instances = dict(zip(["navigation", *places], started, strict=True))
        await self._until_offered()

    async def _until_offered(self) -> None:
        async with administration(self.south) as south:

            async def offered() -> bool:
                hosts = (await south.overview.overview()).system.hosts
                return all("speech-recognition" in host.services for host in hosts)

            await until(offered)
        app = self.app("navigation")

        async def found() -> bool:  # the registration with the federation manager follows the report
            return bool((await app.ask("GET", f"{app.platform}{DISCOVERY}")).value)

        await until(found)

    def app(self, name: str) -> App:
        """A running application by the name of its instance: ``navigation``, or the host of a speech recogniser."""
        wanted = self.instances[name]
        found = [app for app in self._apps() if app.identifier == wanted]
        assert len(found) == 1, f"{len(found)} processes of {name}"
        return found[0]

    def _apps(self) -> list[App]:
        found = []
        for pid in self.stage.workloads():
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"supervisor" not in command:
                found.append(App(pid))
        return found

    def identity(self, operator: str, name: str, address: str) -> Identity:
        """What an operator shows to partners, on another address: for a man in the middle whom both sides trust."""
        identities = Identities(self.stage.operator(operator))
        return identities.authority.issue(
            name, addresses=(address,), uri=f"hanse://{operator}", lifetime=_DAY, directory=_made(self.stage, operator)
        )


def _made(stage: Stage, operator: str) -> Path:
    directory = stage.directory / f"made-{operator}"
    directory.mkdir(exist_ok=True)
    return directory


async def until(holds: Callable[[], Awaitable[bool]], pause: float = 0.1) -> None:
    """Wait until something of other processes holds."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(pause)


async def until_available(settings: Settings, state: PartnerState = PartnerState.AVAILABLE) -> None:
    """Wait until an operator says so of its partner."""
    async with administration(settings) as oss:

        async def reached() -> bool:
            return (await oss.overview.overview()).partners[0].state is state

        await until(reached)


def killed(pids: Iterable[int]) -> None:
    """Kill processes, and return when they are dead: what they listened on is free."""
    ending = [Born(pid) for pid in pids]
    for process in ending:
        process.kill()
    for process in ending:
        process.wait(PATIENCE)


def connections(pid: int) -> set[tuple[str, str]]:
    """The TCP connections of a process now: its own and the other end, ``address:port``."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {(_spelt(row[1]), _spelt(row[2])) for row in rows if row[9] in inodes and row[3] != "0A"}


def _spelt(entry: str) -> str:
    address, _, port = entry.partition(":")
    parts = [str(byte) for byte in reversed(bytes.fromhex(address))]
    return f"{'.'.join(parts)}:{int(port, 16)}"
