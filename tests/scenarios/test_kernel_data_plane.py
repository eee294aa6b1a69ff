"""A whole system whose data planes are in the kernel: use case 5 works over it, and nothing of it is left."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanse.assembly import planes
from hanse.assembly.deployment import Deployment
from hanse.cli.operate import _from_template
from hanse.drivers.dataplane_nftables.namespaces import run
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.elements.ue import Device
from hanse.kit.problems import Problem
from hanse.scenarios.catalogue import play
from hanse.scenarios.outcome import Outcome
from hanse.scenarios.stage import Stage
from tests.scenarios.scene import PATIENCE, Scene, killed

pytestmark = pytest.mark.timeout(120)

HOME = "http://navigation.example.com:8080/healthz"
UNSHARED = ["unshare", "--user"]
"""Runs a command as a user without any right: its own namespace of users knows nobody."""


@pytest.fixture(scope="module", autouse=True)
def _able() -> None:
    """In CI it must run; elsewhere it is skipped where the kernel or root is missing."""
    if reason := asyncio.run(found_out()).get("kernel"):
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Use case 5 set up; whatever a test kills, afterwards nothing of it runs."""
    stage = Stage(tmp_path, data_plane="nftables")
    try:
        yield Scene(stage)
    finally:
        stage.clear()


async def machine(stage: Stage) -> list[str]:
    """What this machine has on a stage's networks behind the kernel's data plane: addresses, routes, links."""
    told = await run(["ip", "-oneline", "address"]) + await run(["ip", "route", "show", "table", "all"])
    own = [stage.networks[net] for net in ("10.10.", "10.20.")]
    return [line for line in told.splitlines() if any(net in line for net in own)]


async def answered(device: Device) -> int:
    """The status of an answer of the app; a system that has just started may need a moment."""
    problem: Problem | None = None
    for _ in range(int(PATIENCE / 0.2)):
        try:
            return (await device.request("GET", HOME)).status
        except Problem as refused:
            problem = refused
            await asyncio.sleep(0.2)
    raise AssertionError(problem)


def failures(outcome: Outcome) -> list[str]:
    return [f"{check.name}: {check.detail}" for check in outcome.checks if not check.passed]


@pytest.mark.parametrize("separate", [False, True], ids=["one-process", "separate"])
def test_an_app_consumes_a_service_of_another_operator_over_the_kernels_data_plane(separate: bool) -> None:
    outcome = play("u5", data_plane="nftables", separate=separate)
    assert failures(outcome) == []
    assert outcome.passed
    assert "no network namespace is left" in {check.name for check in outcome.checks}


async def test_what_devices_send_passes_by_rules_of_the_kernel_and_the_app_sees_the_data_plane(scene: Scene) -> None:
    await scene.start()
    await scene.bring_up()
    alice, mallory = scene.stage.device("north", "alice"), scene.stage.device("north", "mallory")
    assert await answered(alice) == 200
    with pytest.raises(Problem, match="was refused"):
        await mallory.request("GET", HOME)
    plane = next(
        space for space in scene.stage.spaces() if space.startswith("hanse-north-harbour") and "." not in space
    )
    sets = await run(["nft", "-j", "list", "set", "inet", "hanse", "up"], namespace=plane)
    counters = [
        e["elem"]["counter"] for part in json.loads(sets)["nftables"] for e in part.get("set", {}).get("elem", [])
    ]
    assert sum(counter["packets"] for counter in counters) > 3
    flows = await run(["cat", "/proc/net/nf_conntrack"], namespace=plane)
    answers = [line for line in flows.splitlines() if f"dst={scene.north.hosts['harbour'].data_plane} " in line]
    assert answers, "the app answers the data plane's own address"
    await asyncio.to_thread(scene.stage.deployment.stop)
    assert await machine(scene.stage) == []


async def test_a_killed_operator_comes_back_with_its_devices_and_its_rules(scene: Scene) -> None:
    await scene.start()
    await scene.bring_up()
    alice = scene.stage.device("north", "alice")
    assert await answered(alice) == 200
    north_killed(scene.stage)
    left = scene.stage.spaces()
    assert any(space.endswith(".dev.alice") for space in left), "a killed plane leaves its namespaces"
    started = scene.stage.deployment.start_operator(scene.north)
    await asyncio.to_thread(scene.stage.deployment.await_operator, started)
    assert await answered(alice) == 200
    assert scene.stage.spaces() == left
    await asyncio.to_thread(scene.stage.deployment.stop)
    assert scene.stage.spaces() == []


async def test_down_removes_what_a_killed_operator_left_in_the_kernel(scene: Scene) -> None:
    await scene.start()
    assert await machine(scene.stage)
    north_killed(scene.stage)
    assert scene.stage.spaces()
    await asyncio.to_thread(scene.stage.deployment.stop)
    assert scene.stage.spaces() == []
    assert await machine(scene.stage) == []


def north_killed(stage: Stage) -> None:
    """North dies as by a power cut."""
    killed([process.pid for process in stage.deployment.running() if process.operator == "north"])


@pytest.mark.parametrize("words", [("scenario", "run", "u5", "--json"), ("up",)], ids=lambda words: str(words[0]))
def test_without_root_one_line_says_what_is_missing_and_one_what_to_do(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANSE_HOME", str(tmp_path / "home"))
    command = [*UNSHARED, sys.executable, "-m", "hanse", *words, "--data-plane", "nftables"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path)
    assert ended.returncode == 1
    title, hint = ended.stderr.splitlines()
    assert title == "The data plane nftables cannot run here"
    assert "need root" in hint
    assert "userspace needs nothing" in hint
    assert ended.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_deployment_of_one_data_plane_is_not_started_as_if_it_had_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANSE_HOME", str(tmp_path))
    Deployment.from_template(tmp_path)
    with pytest.raises(Problem, match="has the data plane userspace") as refused:
        _from_template("nftables")
    assert refused.value.status == 409
    assert planes.drivers(_from_template("").settings("north")) == {"userspace"}


def test_an_unknown_data_plane_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(Problem, match="No data plane kernel") as refused:
        planes.template_of("kernel")
    assert "userspace, nftables" in refused.value.detail
