"""A platform, its data plane and its name server as three processes, each of which can be killed by itself."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from hanse.assembly.authentication import element_caller
from hanse.assembly.builders.mep import tag_addresses
from hanse.assembly.catalogue import elements
from hanse.assembly.deployment import Deployment, renumbered
from hanse.assembly.identities import Identities
from hanse.elements.mep.app_rules.rules import forwardings, names
from hanse.elements.mep.app_support.tags import resolved
from hanse.elements.mep.records import AppRecord
from hanse.elements.mep.sharing.reporting import ReportNumber
from hanse.elements.ue import Device
from hanse.kit.certificates import client_context
from hanse.kit.contract.call import Caller
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.declare import Api
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.transport import HttpTransport
from hanse.kit.problems import Problem
from hanse.kit.tokens import TokenIssuer
from hanse.refpoints.mm5.platform import AppConfiguration, PlatformConfiguration
from hanse.refpoints.mp1.support import ApplicationSupport
from hanse.refpoints.mp2 import DataPlane, Forwarding, NameRecord, NameServer
from hanse.scenarios.stage import claim
from tests.bounds import SOON
from tests.faults.operators import CONFIGURATION, DEATH_PATIENCE
from tests.faults.records import rows
from tests.unit.elements.mep.parts import configuration

A = TypeVar("A", bound=Api)
PLATFORM, PLANE, NAMES = "mep.harbour", "data_plane.harbour", "names.harbour"
APP = "one"
NAME = "app.example.com"
TRIES, PAUSE = 8, 0.4


async def tries() -> AsyncIterator[int]:
    """For a death over what is asked for: what a platform does by itself, now and then, may come by first.

    Each try begins after another pause, so that no rhythm of this machine meets the same moment again.
    """
    for number in range(TRIES):
        await asyncio.sleep(number * PAUSE)
        yield number


async def acknowledged(change: Awaitable[object]) -> bool:
    """Whether who asked for a change heard that it is made: then it must be kept, whoever has died over it."""
    try:
        await change
    except Problem:
        return False
    return True


class Apart:
    """Three processes of one operator, and an app that is configured by whoever tests, as its manager would."""

    def __init__(self, directory: Path, configuration: str = CONFIGURATION, met: str = "127.10.") -> None:
        """``met``: the network in which devices meet apps."""
        self._directory, self._met = directory, met
        self._claim, self.networks = claim()
        (directory / "north.toml").write_text(renumbered(configuration, self.networks))
        (directory / "deployment.toml").write_text('operators = ["north.toml"]\n')
        self._deployment = Deployment(directory / "deployment.toml")
        self._deployment.prepare()
        self.settings = self._deployment.settings("north")
        self._identities = Identities(self.settings)
        self._store = self.settings.directory / f"{PLATFORM}.sqlite"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    async def start(self, *names: str) -> None:
        """Start these processes, unarmed, and return when they are ready and have written all that nobody asked for."""
        reported = self._reports()
        for name in names:
            self._orders(name).unlink(missing_ok=True)
            (self.settings.directory / "run" / f"{name}.json").unlink(missing_ok=True)
            self._processes[name] = self._spawned(name)
        waiting = [(self.settings, name, self._processes[name]) for name in names]
        await asyncio.to_thread(self._deployment.await_operator, waiting)
        if PLATFORM in names:
            await self._hear_first_report(reported)

    async def _hear_first_report(self, before: int) -> None:
        """Wait until the platform has written, soon after its start, which report is next: nobody asked for it."""
        async with asyncio.timeout(SOON):
            while self._reports() <= before:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def _reports(self) -> int:
        """How many the platform has numbered."""
        try:
            bodies = rows(self._store, "SELECT body FROM report_number")
        except sqlite3.OperationalError:  # it has not run yet, and made no such table
            return 0
        return max((msgspec.json.decode(body, type=ReportNumber).number for (body,) in bodies), default=0)

    def _spawned(self, name: str) -> subprocess.Popen[bytes]:
        log = self.settings.directory / "log" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "hanse.assembly.process", self.settings.path, name],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "HANSE_FAILPOINT": str(self._orders(name))},
                start_new_session=True,
            )

    def arm(self, name: str, failpoint: str) -> None:
        """The next time that this process comes by, it dies."""
        part = self._orders(name).with_suffix(".part")
        part.write_text(failpoint)
        part.replace(self._orders(name))

    async def death(self, name: str, patience: float = DEATH_PATIENCE) -> None:
        """Wait until it has died; ``subprocess.TimeoutExpired`` if it lives on."""
        await asyncio.to_thread(self._processes[name].wait, patience)

    def pid(self, name: str) -> int:
        """The process that runs, or ran last."""
        return self._processes[name].pid

    def _orders(self, name: str) -> Path:
        return self._directory / f"failpoint-{name}"

    async def bring_up(self) -> None:
        """Configure and activate the app over Mm5; its address and rules are in this operator's network."""
        prefix = self.networks[self._met]
        text = msgspec.json.encode(configuration(APP)).decode()
        text = text.replace("127.9.1.1", f"{prefix}200.1").replace("127.9.0.100", f"{prefix}1.100")
        text = text.replace('"protocol":["tcp"]', '"dstPort":["80"],"protocol":["tcp"]')
        async with self.api(PlatformConfiguration, PLATFORM, "mepm.harbour") as manager:
            await manager.configure(APP, msgspec.json.decode(text, type=AppConfiguration))
            await manager.activate(APP)

    @asynccontextmanager
    async def api(self, api: type[A], provider: str, caller: str) -> AsyncIterator[A]:
        """An element's API as another element uses it."""
        element = elements(self.settings)[provider]
        identity = self._identities.of_element(elements(self.settings)[caller])
        context = client_context([self._identities.authority_path], identity)
        transport = HttpTransport(element.url, context, name=provider)
        try:
            yield client(api, Peer(provider, transport, element_caller("north", caller), "", Silence()))
        finally:
            await transport.close()

    @asynccontextmanager
    async def support(self) -> AsyncIterator[ApplicationSupport]:
        """Mp1 as the app uses it."""
        platform = elements(self.settings)[PLATFORM]
        issuer = TokenIssuer(self.settings.directory / f"{PLATFORM}.tokens.pem", issuer=platform.url)
        token = issuer.issue(APP, audience=platform.url, lifetime=60.0).access_token

        async def authorize(_renew: bool) -> dict[str, str]:
            return {"authorization": f"Bearer {token}"}

        transport = HttpTransport(platform.url, client_context([self._identities.authority_path]), name=PLATFORM)
        caller = Caller(role="app", name="app.one", operator="north", subject=APP)
        try:
            yield client(ApplicationSupport, Peer(PLATFORM, transport, caller, "Mp1", Silence(), authorize))
        finally:
            await transport.close()

    def kept(self) -> AppRecord:
        """The app as it stands on the platform's disk now."""
        ((body,),) = rows(self._store, "SELECT body FROM application WHERE key = ?", APP)
        return msgspec.json.decode(body, type=AppRecord)

    def wanted(self) -> tuple[list[Forwarding], list[NameRecord]]:
        """Rules and names that the platform's disk asks for."""
        app = self.kept()
        rules = forwardings(resolved(app, tag_addresses(self.settings, "harbour")))
        # Nobody else claims the address, so instances of the app on other hosts may have it, too.
        return [replace(rule, shared=True) for rule in rules], list(names(app))

    async def present(self) -> tuple[list[Forwarding], list[NameRecord]]:
        """Rules and names that are in force."""
        async with self.api(DataPlane, PLANE, PLATFORM) as plane, self.api(NameServer, NAMES, PLATFORM) as server:
            return await plane.forwardings(), await server.records()

    def alice(self) -> Device:
        """A device that asks the name server."""
        at = self.settings.hosts["harbour"].names
        return Device(self.settings.devices["alice"].address, (at.address, at.port), timeout=SOON)

    def clear(self) -> None:
        """End everything, and give the addresses back."""
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        os.close(self._claim)
