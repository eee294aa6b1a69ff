"""One virtual address for an app on two hosts: each device reaches the instance of its own host, or else the other."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.deployment import Deployment
from hanse.assembly.onboarding import bring_up, take_down
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.elements.ue import Device
from hanse.kit.problems import Problem
from hanse.scenarios.at_once import ask_at_once
from hanse.scenarios.outcome import Record
from hanse.scenarios.stage import Stage
from tests.lateness import lateness
from tests.scenarios.scene import App, Scene, connections, until

pytestmark = pytest.mark.timeout(300)

AT_ONCE = 1.0
"""Seconds after the end of an instance in which its devices reach another one, whose platform follows by itself."""

DAVE = """
[devices.dave]                  # served by the other host, and near south's other platform
address = "{network}101.7"
host = "airport"
latitude = 51.9
longitude = 12.4
"""


class Place:
    """North's navigation on both hosts; alice is served by the harbour, dave by the airport."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.stage = scene, scene.stage
        self.net = network_of(scene.stage)
        self.address = f"{self.net}200.1"
        self.other = ""

    async def start(self) -> None:
        await self.scene.start()
        await asyncio.to_thread(self._admit_both_networks)
        await self.scene.bring_up()
        self.other = await self.up("airport")

    def _admit_both_networks(self) -> None:
        """Devices of the two hosts are in networks of their own; the package of the example knows one of them."""
        self.stage.package("navigation", "wayfinder")
        [definition] = (self.stage.directory / "sources/navigation/Definitions").glob("*.yaml")
        told = definition.read_text()
        assert f"{self.net}100.0/24" in told
        definition.write_text(told.replace(f"{self.net}100.0/24", f"{self.net}100.0/23"))

    async def up(self, host: str) -> str:
        """Another instance of navigation, which is ready."""
        async with administration(self.scene.north) as oss:
            place = self.scene.north.hosts[host].zone.zone().position
            return await bring_up(oss.lifecycle, self.scene.packages["navigation"][1], place)

    async def down(self, identifier: str) -> None:
        async with administration(self.scene.north) as oss:
            await take_down(oss.lifecycle, identifier)

    def apps(self) -> dict[str, App]:
        """The running instances of navigation by the host on which they are."""
        found = [app for app in self.scene._apps() if app.environment["MEC_APP_ADDRESS"].startswith(self.net)]
        hosts = {f"{self.net}1.": "harbour", f"{self.net}2.": "airport"}
        return {hosts[app.environment["MEC_APP_ADDRESS"].rpartition(".")[0] + "."]: app for app in found}

    async def reached(self, device: Device) -> str:
        """The host of the instance that a new connection of a device reaches; empty if it is refused."""
        before = self._open()
        try:
            reader, writer = await device.open(self.address, 8080)
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            if b" 200 " not in await reader.readline():
                return ""
            new = {host for host, held in self._open().items() if held > before[host]}
        except (Problem, OSError):
            return ""
        writer.transport.abort()
        await until_closed(self, before)
        [host] = new
        return host

    def _open(self) -> Counter[str]:
        """Connections of devices that each instance serves now."""
        held: Counter[str] = Counter()
        for host, app in self.apps().items():
            own = f"{app.environment['MEC_APP_ADDRESS']}:{app.environment['MEC_APP_PORT']}"
            held[host] = sum(end == own for end, _ in connections(app.pid))
        return held


async def until_closed(place: Place, before: Counter[str]) -> None:
    async def closed() -> bool:
        return place._open() <= before

    await until(closed, pause=0.02)


def network_of(stage: Stage) -> str:
    """Of north, where its devices, instances and virtual addresses are."""
    return stage.networks["10.10." if stage.data_plane == "nftables" else "127.10."]


@dataclass(frozen=True)
class Kind:
    """How the operators run."""

    data_plane: str = "userspace"
    separate: bool = False

    def __str__(self) -> str:
        return f"{self.data_plane}-{'separate' if self.separate else 'together'}"


@pytest.fixture
async def place(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    kind: Kind = request.param
    if kind.data_plane == "nftables" and (reason := (await found_out()).get("kernel")):
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    stage = await asyncio.to_thread(Stage, tmp_path, separate=kind.separate, data_plane=kind.data_plane)
    try:
        file = stage.directory / "north.toml"
        file.write_text(file.read_text() + DAVE.format(network=network_of(stage)))
        stage.deployment = Deployment(stage.directory / "deployment.toml")
        made = Place(Scene(stage))
        await made.start()
        yield made
    finally:
        await asyncio.to_thread(stage.clear)


def played(*kinds: Kind) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("place", kinds, ids=str, indirect=True)


@played(Kind(), Kind(separate=True), Kind("nftables"))
async def test_devices_reach_the_instance_of_their_own_host_and_the_other_when_it_ends(place: Place) -> None:
    alice, dave = place.stage.device("north", "alice"), place.stage.device("north", "dave")
    where = [(await place.reached(alice), await place.reached(dave)) for _ in range(12)]
    assert Counter(where) == {("harbour", "airport"): 12}

    await place.down(place.scene.instances["navigation"])

    async def away() -> bool:
        return await place.reached(alice) == "airport"

    began = time.monotonic()
    async with lateness() as late:
        await until(away, pause=0.02)
        took = time.monotonic() - began
    assert took < AT_ONCE + late.seconds
    print(f"alice reached the other host {took:.2f} s after the end of her instance was answered")
    assert [await place.reached(alice) for _ in range(6)] == ["airport"] * 6
    assert await place.reached(dave) == "airport"

    await place.up("harbour")

    async def back() -> bool:
        return await place.reached(alice) == "harbour"

    await until(back)
    assert [await place.reached(alice) for _ in range(6)] == ["harbour"] * 6
    assert await place.reached(dave) == "airport"


@played(Kind(), Kind("nftables"))
async def test_what_an_app_finds_is_right_for_the_device_whichever_data_plane_it_came_through(place: Place) -> None:
    record = Record("one address", None)
    url = f"http://{place.address}:8080/directions"
    await ask_at_once(place.stage, record, url, {"alice": "mep.valley", "dave": "mep.summit", "bob": "mep.summit"})
    assert [check.detail for check in record.outcome().checks if not check.passed] == []
