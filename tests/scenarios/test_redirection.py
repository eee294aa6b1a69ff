"""Devices whose names DNS cannot lead follow HTTP redirections to the right app, and elsewhere when the policy changes.

The devices are `curl` at their own addresses, which finds the redirector by a fixed answer (`--resolve`), keeps method
and body; the operator speaks by the command line; the apps are two instances of the example, one on each host.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.deployment import Deployment
from hanse.assembly.identities import Identities
from hanse.assembly.onboarding import bring_up
from hanse.assembly.spawning import spawn
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target
from hanse.scenarios.stage import Stage
from tests.lifetime import lifetime
from tests.scenarios.scene import killed
from tests.scenarios.typed import hanse

NAME, OF_AN_APP = "video.example.com", "navigation.example.com"
HTTP, HTTPS = 8480, 8481
PATIENCE = 20.0

pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


class Arrived(NamedTuple):
    """What a device that follows redirections got: the last status, where that was, over how many redirections."""

    status: int
    url: str
    redirects: int
    body: str


@pytest.fixture(scope="module", params=[False, True], ids=["one-process", "separate"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """North with a redirector at harbour, and the navigation app on both hosts."""

    async def start(made: Stage) -> None:
        north = made.directory / "north.toml"
        place = f"{made.networks['127.10.']}1.3"
        names = f'names = {{ address = "{place}", zones = ["example.com"] }}'
        assert names in north.read_text()
        redirection = f'redirection = {{ address = "{place}", port = {HTTP}, tls_port = {HTTPS} }}'
        north.write_text(north.read_text().replace(names, f"{names}\n{redirection}"))
        made.deployment = Deployment(made.deployment.file)
        await made.start()
        _, navigation = await made.on_board("north", made.package("navigation", "wayfinder"))
        settings = made.operator("north")
        async with administration(settings) as oss:
            for host in settings.hosts.values():
                await bring_up(oss.lifecycle, navigation, host.zone.zone().position)

    with lifetime(Stage(tmp_path_factory.mktemp("stage"), separate=request.param), start) as made:
        yield made


def instance(stage: Stage, host: str) -> str:
    """Where the instance of a host is reached."""
    settings = stage.operator("north").hosts[host]
    return f"http://{settings.app_addresses()[0]}:{settings.app_port}"


def lead(stage: Stage, **to: str) -> None:
    """Lead devices to hosts, all others to the nearest; as the command does, without the time that it takes."""
    targets = tuple(
        Target(host=name, address=host.app_addresses()[0], location=instance(stage, name))
        for name, host in stage.operator("north").hosts.items()
    )
    preferences = tuple(Preference(to=host, devices=(device,)) for device, host in to.items())
    policy = SteeringPolicy(name=NAME, targets=targets, preferences=preferences, app="navigation")

    async def told() -> None:
        async with administration(stage.operator("north")) as oss:
            await oss.steering.set_policy(NAME, policy)

    asyncio.run(told())


def forget(stage: Stage) -> None:
    async def told() -> None:
        async with administration(stage.operator("north")) as oss:
            await oss.steering.remove_policy(NAME)

    asyncio.run(told())


def curl(stage: Stage, device: str, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A request of a device that has been told, once and for all, that the names are at the redirector."""
    settings = stage.operator("north")
    place, source = settings.hosts["harbour"].names.address, settings.devices[device].address
    fixed = [
        word for name in (NAME, OF_AN_APP) for port in (HTTP, HTTPS) for word in ("--resolve", f"{name}:{port}:{place}")
    ]
    authority = str(Identities(settings).authority_path)
    command = [
        "curl",
        "--silent",
        "--interface",
        source,
        "--max-time",
        f"{PATIENCE:g}",
        *fixed,
        "--cacert",
        authority,
        *words,
        url,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def follow(stage: Stage, device: str, url: str, *words: str) -> Arrived:
    told = "\n%{response_code} %{num_redirects} %{url_effective}"
    done = curl(stage, device, url, "--location", "--write-out", told, *words)
    body, _, about = done.stdout.rpartition("\n")
    status, redirects, where = about.split(" ", 2)
    return Arrived(int(status), where, int(redirects), body)


def test_devices_follow_to_the_app_of_the_policy_and_elsewhere_when_it_changes(stage: Stage) -> None:
    url = f"http://{NAME}:{HTTP}/healthz?from=device"
    lead(stage, alice="harbour", bob="airport")
    for device, host in (("alice", "harbour"), ("bob", "airport")):
        arrived = follow(stage, device, url)
        expected = (200, f"{instance(stage, host)}/healthz?from=device", 1)
        assert (arrived.status, arrived.url, arrived.redirects) == expected, arrived.body
    to = [f"--to={host}={address}" for host, address in (("harbour", "127.3.0.1"), ("airport", "127.3.0.2"))]
    places = [f"--location={host}={instance(stage, host)}" for host in ("harbour", "airport")]
    prefer = ("--prefer", "harbour device=bob", "--prefer", "airport device=alice")
    hanse(stage, "steering", "set", NAME, "--app", "navigation", *to, *places, *prefer)
    assert follow(stage, "alice", url).url.startswith(instance(stage, "airport"))
    assert follow(stage, "bob", url).url.startswith(instance(stage, "harbour"))


def test_method_and_body_of_a_request_arrive_at_the_app(stage: Stage) -> None:
    lead(stage)
    direct = curl(stage, "alice", f"{instance(stage, 'airport')}/directions", "--data-binary", "no recording")
    arrived = follow(stage, "alice", f"http://{NAME}:{HTTP}/directions", "--data-binary", "no recording")
    assert (arrived.redirects, arrived.body) == (1, direct.stdout), "answered as the app answers this body itself"
    asked = curl(stage, "alice", f"http://{NAME}:{HTTP}/directions", "--data-binary", "x", "--include").stdout
    assert asked.startswith("HTTP/1.1 307 ")
    assert "cache-control: no-store" in asked.lower()


def test_a_name_of_an_app_leads_through_the_data_plane_whose_rules_still_hold(stage: Stage) -> None:
    virtual = f"{stage.networks['127.10.']}200.1"
    url = f"http://{OF_AN_APP}:{HTTP}/healthz"
    arrived = follow(stage, "alice", url)
    assert (arrived.status, arrived.url.rstrip("/")) == (200, f"http://{virtual}:8080/healthz")
    assert follow(stage, "mallory", url).status != 200, "led there, and refused by the rule of the app"


def test_over_tls_the_names_that_are_led_are_certified_and_no_others(stage: Stage) -> None:
    asked = ("--output", "/dev/null", "--write-out", "%{response_code} %{redirect_url}")
    url = f"https://{OF_AN_APP}:{HTTPS}/x"
    assert curl(stage, "alice", url, *asked).stdout == f"307 https://{stage.networks['127.10.']}200.1:8080/x"
    forget(stage)
    deadline = time.monotonic() + PATIENCE
    while curl(stage, "alice", f"https://{NAME}:{HTTPS}/", *asked).returncode != 60:  # no certificate for the name
        assert time.monotonic() < deadline, "the name is gone and still certified"
        time.sleep(0.2)


def test_what_nobody_named_is_led_nowhere(stage: Stage) -> None:
    place = stage.operator("north").hosts["harbour"].names.address
    forget(stage)
    for host in ("evil.example", f"{place}:{HTTP}", NAME):
        told = curl(stage, "alice", f"http://{place}:{HTTP}/", "--header", f"Host: {host}", "--include").stdout
        assert told.startswith("HTTP/1.1 404 ")
        assert "location:" not in told.lower()


def test_the_operator_sees_where_devices_are_led_and_what_a_mistake_is(stage: Stage) -> None:
    place = stage.operator("north").hosts["harbour"].names.address
    told = f"harbour leads devices by HTTP redirection at http://{place}:{HTTP}, https://{place}:{HTTPS}"
    assert told in hanse(stage, "status")
    to = ("--to=harbour=127.0.0.1",)
    assert "no --to leads to quay" in hanse(stage, "steering", "set", NAME, *to, "--location=quay=http://x", code=1)
    said = hanse(stage, "steering", "set", NAME, *to, "--location=harbour=http://x/path", code=1)
    assert "targets.location" in said
    assert "no path" in said


def test_a_platform_that_was_killed_leads_again_by_what_it_was_told(stage: Stage) -> None:
    lead(stage, alice="harbour")
    settings = stage.operator("north")
    name = "mep.harbour" if stage.separate else "all"
    (running,) = [r for r in stage.deployment.running() if (r.operator, r.name) == ("north", name)]
    killed([running.pid])
    stage.deployment.await_operator([(settings, name, spawn(settings, name))])
    arrived = follow(stage, "alice", f"http://{NAME}:{HTTP}/healthz")
    assert (arrived.status, arrived.url) == (200, f"{instance(stage, 'harbour')}/healthz")


@pytest.mark.parametrize("separate", [False, True], ids=["in-one-process", "apart"])
def test_behind_the_kernels_data_plane_a_device_is_known_by_its_own_address(tmp_path: Path, separate: bool) -> None:
    if reason := asyncio.run(found_out()).get("kernel"):
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    stage = Stage(tmp_path, separate=separate, data_plane="nftables")
    try:
        net = stage.networks["10.10."]
        north = tmp_path / "north.toml"
        redirection = f'[hosts.harbour.redirection]\naddress = "{net}1.5"\n'
        policy = f'[steering."{NAME}"]\ntargets = {{ harbour = "{net}200.7", airport = "{net}200.8" }}\n'
        preferences = '{ to = "harbour", devices = ["alice"] }, { to = "airport", devices = ["bob"] }'
        north.write_text(f"{north.read_text()}\n{redirection}\n{policy}preferences = [{preferences}]\n")
        stage.deployment = Deployment(stage.deployment.file)
        asyncio.run(stage.start())
        assert _led(stage, "alice", f"http://{net}1.5:{HTTP}/x") == f"http://{net}200.7/x"
        assert _led(stage, "bob", f"http://{net}1.5:{HTTP}/x") == f"http://{net}200.8/x"
    finally:
        stage.clear()


def _led(stage: Stage, device: str, url: str) -> str:
    """Where a device is led, once the platform has been told the policy."""

    async def location() -> str:
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await stage.device("north", device).request("GET", url, headers={"Host": NAME})
                if answer.status == 307:
                    return {name.lower(): value for name, value in answer.headers.items()}["location"]
                await asyncio.sleep(0.2)

    return asyncio.run(location())
