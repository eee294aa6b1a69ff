"""Two platforms of one system, each a process of its own: what one shares the other's apps find, until it dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import bring_up
from hanse.assembly.settings import Settings
from hanse.assembly.spawning import spawn
from hanse.refpoints.mp3.services import PATIENCE, SIGN_PERIOD
from hanse.scenarios.stage import Stage
from tests.lateness import lateness
from tests.scenarios.conftest import opened
from tests.scenarios.scene import App, Told, until

NAME = "speech-recognition"
GONE_WITHIN = PATIENCE + SIGN_PERIOD
"""Seconds after the death of a platform within which its services are gone elsewhere: what the documentation states."""
BACK_WITHIN = 2.0
"""Seconds after its platform is ready again within which they are back."""
SLACK = 1.5
"""Seconds more that this machine may need while it does other things."""

pytestmark = pytest.mark.timeout(90)


class Ear:
    """A subscriber of its own: what it was told, and when."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []

    async def take(self, request: web.Request) -> web.Response:
        for reference in (await request.json())["serviceReferences"]:
            self.told.append((reference["changeType"], time.monotonic()))
        return web.Response(status=204)

    async def listen(self, address: str) -> web.AppRunner:
        application = web.Application()
        application.router.add_post("/told", self.take)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, address, 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/told"
        return runner

    async def heard(self, *changes: str) -> float:
        """When the last of exactly these changes came."""

        async def all_came() -> bool:
            return len(self.told) >= len(changes)

        await until(all_came, pause=0.02)
        assert [change for change, _ in self.told] == list(changes)
        return self.told[-1][1]


class System:
    """The northern system: navigation at the harbour, which consumes, and speech recognition at the airport."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.north: Settings = stage.operator("north")
        self.ear = Ear()

    async def bring_up(self) -> None:
        _, speech = await self.stage.on_board("north", self.stage.package("speech", "earshot"))
        _, navigation = await self.stage.on_board("north", self.stage.package("navigation", "wayfinder"))
        async with administration(self.north) as oss:
            at = {name: host.zone.zone().position for name, host in self.north.hosts.items()}
            consumer = await bring_up(oss.lifecycle, navigation, at["harbour"])
            await self.subscribe(consumer)
            await bring_up(oss.lifecycle, speech, at["airport"])

    async def subscribe(self, identifier: str) -> None:
        self.app = _process_of(self.stage, identifier)
        wanted = {
            "subscriptionType": "SerAvailabilityNotificationSubscription",
            "callbackReference": self.ear.url,
            "filteringCriteria": {"serNames": [NAME]},
        }
        url = self.app.services.removesuffix("services") + "subscriptions"
        assert (await self.app.ask("POST", url, wanted)).status == 201

    async def found(self) -> list[dict[str, Any]]:
        """What the app at the harbour finds by that name."""
        url = f"{self.app.platform}/mec_service_mgmt/v1/services?ser_name={NAME}"
        services: list[dict[str, Any]] = (await self.app.ask("GET", url)).value
        return services

    async def consume(self, uri: str) -> Told:
        """A call of the service as the app makes it."""
        return await self.app.ask("GET", f"{uri.rstrip('/')}/nothing-here")

    def platform(self) -> int:
        """The process of the airport's platform."""
        [pid] = [r.pid for r in self.stage.deployment.running() if (r.operator, r.name) == ("north", "mep.airport")]
        return pid

    async def revive(self) -> None:
        """Start the airport's platform again, and return when it is ready."""
        deployment = self.stage.deployment
        process = spawn(self.north, "mep.airport")
        await asyncio.to_thread(deployment.await_operator, [(self.north, "mep.airport", process)])


def _process_of(stage: Stage, identifier: str) -> App:
    apps = (App(pid) for pid in stage.workloads() if b"supervisor" not in _command(pid))
    return next(app for app in apps if app.identifier == identifier)


def _command(pid: int) -> bytes:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


@pytest.fixture
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    with opened(tmp_path_factory.mktemp("stage"), separate=True) as scene:
        made = System(scene.stage)
        runner = await made.ear.listen(made.north.devices["alice"].address)
        try:
            await scene.start()
            await made.bring_up()
            yield made
        finally:
            await runner.cleanup()


async def test_services_of_a_dead_platform_vanish_elsewhere_in_time_and_come_back_with_it(system: System) -> None:
    await system.ear.heard("ADDED")
    [before] = await system.found()
    assert before["isLocal"] is True  # its scope is the system
    [uri] = before["transportInfo"]["endpoint"]["uris"]
    assert uri.startswith(system.app.platform)
    assert (await system.consume(uri)).status == 404  # said by the service itself: there is no such page

    async with lateness() as late:
        os.kill(system.platform(), signal.SIGKILL)
        died = time.monotonic()
        gone = await system.ear.heard("ADDED", "REMOVED") - died
    assert gone < GONE_WITHIN + SLACK + late.seconds
    assert system.stage.workloads(), "the app itself lives on"

    await system.revive()
    async with lateness() as late:
        ready = time.monotonic()
        back = await system.ear.heard("ADDED", "REMOVED", "ADDED") - ready
    assert back < BACK_WITHIN + SLACK + late.seconds
    assert await system.found() == [before]
    assert (await system.consume(uri)).status == 404
    print(json.dumps({"gone_after_s": round(gone, 2), "back_after_s": round(back, 2)}))
    assert _crossed(system, "announce")


def _crossed(system: System, operation: str) -> bool:
    seen: Callable[[Any], bool] = lambda m: m.operation == operation and m.reference_point == "Mp3"  # noqa: E731
    return any(seen(m) for p in system.stage.procedures() for m in p.messages)
