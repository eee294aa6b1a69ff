"""Devices that ask one name are led to different hosts, by the operator's policy, and follow a change within its time.

The devices ask with `dig`, from their own addresses; the operator speaks by the command line.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.deployment import Deployment
from hanse.assembly.onboarding import bring_up, take_down
from hanse.assembly.settings import Settings
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target
from hanse.scenarios.stage import Stage
from tests.lifetime import lifetime
from tests.scenarios.resolver import unbound
from tests.scenarios.typed import hanse

NAME, CONFIGURED, OF_AN_APP = "video.example.com", "films.example.com", "directions.example.com"
TTL, REMEMBERED = 2, 4
SLACK = 1.0
"""Seconds beside the time to live: a question takes some on a busy machine, and a resolver counts whole seconds."""

pytestmark = pytest.mark.timeout(120)


class Resolver(NamedTuple):
    """Where devices ask it, and the address from which it asks others."""

    server: tuple[str, int]
    source: str


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """North with Bob at the coast and Alice inland; a host of south asks north's server for names of others."""
    if shutil.which("dig") is None:
        pytest.skip("dig is not installed (Debian: bind9-dnsutils)")

    async def start(made: Stage) -> None:
        _at_the_coast_and_inland(made)
        await made.start()

    with lifetime(Stage(tmp_path_factory.mktemp("stage")), start) as made:
        yield made


def _at_the_coast_and_inland(stage: Stage) -> None:
    north, south = stage.directory / "north.toml", stage.directory / "south.toml"
    text = north.read_text().replace("latitude = 51.8\nlongitude = 12.2", "latitude = 54.3\nlongitude = 10.1")
    net = stage.networks["127.10."]
    text += (
        f'\n[steering."{CONFIGURED}"]\ntargets = {{ harbour = "{net}200.8", airport = "{net}200.9" }}\nttl = {TTL}\n'
    )
    north.write_text(text)
    names = f'names = {{ address = "{stage.networks["127.20."]}1.3", zones = ["example.com"] }}'
    assert names in south.read_text()
    forward = names.replace('["example.com"]', f'[], forward = "{net}1.3:10053"')
    south.write_text(south.read_text().replace(names, forward))
    stage.deployment = Deployment(stage.deployment.file)


def lead(stage: Stage, *preferences: str, name: str = NAME, more: tuple[str, ...] = ()) -> None:
    words = [word for preference in preferences for word in ("--prefer", preference)]
    to = [f"--to=harbour={address(stage, 'harbour')}", f"--to=airport={address(stage, 'airport')}"]
    hanse(stage, "steering", "set", name, *to, "--ttl", str(TTL), *words, *more)


def address(stage: Stage, host: str) -> str:
    """Where the name leads at a host."""
    return stage.networks["127.10."] + {"harbour": "200.71", "airport": "200.72"}[host]


def dig(stage: Stage, source: str, name: str, *more: str, server: tuple[str, int] | None = None) -> list[str]:
    """What a device is told that asks from its own address: the server of its host, or another one."""
    names = stage.operator("north").hosts["harbour"].names
    where, port = server or (names.address, names.port)
    command = ["dig", "-b", source, f"@{where}", "-p", str(port), "+short", "+tries=2", "+timeout=10", name, "A", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout.split()


def led(stage: Stage, device: str, name: str = NAME, *more: str) -> list[str]:
    return dig(stage, stage.operator("north").devices[device].address, name, *more)


def soon(told: Callable[[], list[str]], expected: list[str], seconds: float) -> float:
    """Wait until a device is told that; after how many seconds it was."""
    began = asked = time.monotonic()
    late = 0.0
    while (found := told()) != expected:
        assert asked - began < seconds + late, f"{found}, not {expected}, after {seconds} s"
        due = time.monotonic() + 0.1
        time.sleep(0.1)
        asked = time.monotonic()  # an answer is as old as its question, however long the machine took over it
        late += asked - due
    return asked - began


def test_two_devices_at_two_places_get_two_hosts_for_one_name_and_others_when_the_policy_changes(stage: Stage) -> None:
    harbour, airport = [address(stage, "harbour")], [address(stage, "airport")]
    lead(stage)
    assert (led(stage, "alice"), led(stage, "bob")) == (airport, harbour)
    lead(stage, "harbour device=alice", "airport zone=north-coast")
    assert (led(stage, "alice"), led(stage, "bob")) == (harbour, airport)
    assert "harbour device=alice" in hanse(stage, "steering", "list")
    hanse(stage, "steering", "remove", NAME)
    assert (led(stage, "alice"), led(stage, "bob")) == ([], [])


def test_a_resolver_of_others_is_led_by_the_subnet_for_which_it_asks(stage: Stage) -> None:
    harbour, airport = [address(stage, "harbour")], [address(stage, "airport")]
    lead(stage, "airport subnet=10.2.0.0/16", "harbour subnet=10.0.0.0/8")
    assert led(stage, "bob", NAME, "+subnet=10.2.3.0/24") == airport
    assert led(stage, "bob", NAME, "+subnet=10.3.3.0/24") == harbour
    hanse(stage, "steering", "remove", NAME)


@pytest.fixture(params=["of another platform", "Unbound"])
def resolver(request: pytest.FixtureRequest, stage: Stage, tmp_path: Path) -> Iterator[Resolver]:
    """One that asks north's server, and remembers."""
    there = stage.operator("south").hosts["valley"].names
    if request.param != "Unbound":
        yield Resolver((there.address, there.port), "127.0.0.1")
        return
    place = f"{stage.networks['127.20.']}1.4"
    names = stage.operator("north").hosts["harbour"].names
    with unbound(tmp_path / "unbound", place, there.port, names.address, names.port):
        yield Resolver((place, there.port), place)


def test_devices_behind_a_resolver_that_remembers_follow_within_one_time_to_live(
    stage: Stage, resolver: Resolver
) -> None:
    carol = stage.operator("south").devices["carol"].address
    old, new = [address(stage, "harbour")], [address(stage, "airport")]

    def told() -> list[str]:
        return dig(stage, carol, NAME, server=resolver.server)

    def remembered() -> bool:
        """Whether it still gave the old answer after the change; if not, that took longer than it has to remember."""
        asyncio.run(_set(stage, Preference(to="harbour", devices=(resolver.source,))))
        asked = time.monotonic() + soon(told, old, REMEMBERED + SLACK)
        asyncio.run(_set(stage, Preference(to="airport", devices=(resolver.source,))))
        if told() == old:
            return True
        assert time.monotonic() - asked > REMEMBERED - SLACK, "the resolver did not remember: the test shows nothing"
        return False

    while not remembered():  # the time limit of the test ends it
        pass
    soon(told, new, REMEMBERED + SLACK)
    hanse(stage, "steering", "remove", NAME)


async def _set(stage: Stage, preference: Preference) -> None:
    """As `lead`, without the time that a command takes to start."""
    targets = tuple(Target(host=host, address=address(stage, host)) for host in ("harbour", "airport"))
    policy = SteeringPolicy(name=NAME, targets=targets, preferences=(preference,), ttl=REMEMBERED)
    async with administration(stage.operator("north")) as oss:
        await oss.steering.set_policy(NAME, policy)


def test_what_the_configuration_says_leads_from_the_start_until_the_operator_says_otherwise(stage: Stage) -> None:
    net = stage.networks["127.10."]
    assert (led(stage, "alice", CONFIGURED), led(stage, "bob", CONFIGURED)) == ([f"{net}200.9"], [f"{net}200.8"])
    lead(stage, name=CONFIGURED)
    assert led(stage, "bob", CONFIGURED) == [address(stage, "harbour")]
    hanse(stage, "steering", "remove", CONFIGURED)
    assert led(stage, "bob", CONFIGURED) == [f"{net}200.8"]


def test_a_name_leads_only_where_its_app_runs_and_follows_it(stage: Stage) -> None:
    north = stage.operator("north")
    lead(stage, name=OF_AN_APP, more=("--app", "navigation"))
    assert led(stage, "alice", OF_AN_APP) == []
    instance = asyncio.run(_started(stage, "harbour"))
    soon(lambda: led(stage, "alice", OF_AN_APP), [address(stage, "harbour")], TTL + SLACK)
    asyncio.run(_stopped(north, instance))
    soon(lambda: led(stage, "alice", OF_AN_APP), [], TTL + SLACK)
    hanse(stage, "steering", "remove", OF_AN_APP)


async def _started(stage: Stage, host: str) -> str:
    north = stage.operator("north")
    _, navigation = await stage.on_board("north", stage.package("navigation", "wayfinder"))
    async with administration(north) as oss:
        return await bring_up(oss.lifecycle, navigation, north.hosts[host].zone.zone().position)


async def _stopped(north: Settings, instance: str) -> None:
    async with administration(north) as oss:
        await take_down(oss.lifecycle, instance)


def test_a_policy_that_names_what_is_not_there_is_refused_with_what_is(stage: Stage) -> None:
    said = hanse(stage, "steering", "set", NAME, "--to=quay=127.0.0.1", code=1)
    assert "targets.host" in said
    assert "airport, harbour" in said
    said = hanse(stage, "steering", "set", NAME, "--to=harbour", code=1)
    assert "HOST=ADDRESS" in said
    said = hanse(stage, "steering", "set", NAME, "--to=harbour=127.0.0.1", "--prefer", "harbour on=alice", code=1)
    assert "device=, subnet= or zone=" in said
