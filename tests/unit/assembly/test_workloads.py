"""Ending an operator's workloads ends them whole, and nobody who only stands nearby."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hanse.assembly.deployment import Deployment
from hanse.assembly.settings import Settings
from hanse.assembly.workloads import end_workloads, workload_processes
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.drivers.compute_process.launch import SUPERVISOR
from hanse.drivers.compute_process.processes import every_process, identify, kill
from hanse.refpoints.mm7 import Limits, Workload

pytestmark = pytest.mark.timeout(120)

APP = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    os.environ.clear()
    if os.fork() == 0:
        os.execve("/bin/sleep", ["sleep", "300"], {})
    os._exit(0)
print("ready", flush=True)
time.sleep(300)
"""
"""It leaves a daemon behind that has neither its session nor its environment."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Deployment.from_template(tmp_path).settings("north")


@pytest.fixture
async def instance(settings: Settings, tmp_path: Path) -> AsyncIterator[Path]:
    """The directory of an app that runs."""
    compute = ProcessCompute(settings.directory / "vim.harbour" / "compute")
    source = tmp_path / "app.py"
    source.write_text(APP)
    await compute.prepare("app", source)
    command = ("python3", source.name)
    workload = Workload(instance_id="app", image_id="app", command=command, address="127.9.0.1", limits=Limits())
    await compute.create(workload)
    await compute.start("app")
    yield settings.directory / "vim.harbour" / "compute" / "instances" / "app"
    await compute.delete("app")
    await compute.close()


@pytest.fixture
def bystanders(instance: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """People who look: a file that is followed, a shell that stands there, a command that names the directory."""
    found = [
        subprocess.Popen(["tail", "-f", str(instance / "spec.json")], stdout=subprocess.DEVNULL),
        subprocess.Popen(["sleep", "300"], cwd=instance / "work"),
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", SUPERVISOR, str(instance), "look"]),
    ]
    yield found
    for process in found:
        process.kill()
        process.wait()


async def grown(settings: Settings, number: int) -> list[int]:
    """The processes of the workloads once there are so many."""
    async with asyncio.timeout(20):
        while len(found := workload_processes(settings)) != number:  # noqa: ASYNC110 (processes tell nobody)
            await asyncio.sleep(0.05)
    return found


async def test_stopping_ends_an_app_with_its_daemons_and_spares_bystanders(
    settings: Settings, bystanders: list[subprocess.Popen[bytes]]
) -> None:
    family = await grown(settings, 3)  # the supervisor, the app, its daemon
    assert not {process.pid for process in bystanders} & set(family)
    await asyncio.to_thread(end_workloads, settings)
    assert not {process.pid for process in every_process()} & set(family)
    assert workload_processes(settings) == []
    assert [process.poll() for process in bystanders] == [None, None, None]


async def test_what_a_killed_supervisor_left_is_ended(settings: Settings, instance: Path) -> None:
    await grown(settings, 3)
    recorded = json.loads((instance / "supervisor.json").read_text())
    kill(recorded["supervisor"][0])
    await asyncio.to_thread(end_workloads, settings)
    assert recorded["app"][0] not in {process.pid for process in every_process()}


def test_a_supervisor_that_has_not_said_yet_who_it_is_is_known_by_its_command(settings: Settings) -> None:
    folder = settings.directory.absolute() / "vim.harbour" / "compute" / "instances" / "app"
    folder.mkdir(parents=True)
    command = [sys.executable, "-c", "import time; time.sleep(300)", SUPERVISOR, str(folder)]
    with subprocess.Popen(command) as starting:
        try:
            end_workloads(settings)
            assert starting.wait(100) == -9
        finally:
            starting.kill()


def test_a_later_process_with_the_number_of_an_app_survives(settings: Settings) -> None:
    folder = settings.directory / "vim.harbour" / "compute" / "instances" / "app"
    folder.mkdir(parents=True)
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as later:
        try:
            pid, started, boot = identify(later.pid)
            stale = [pid, started - 1, boot]
            (folder / "supervisor.json").write_text(json.dumps({"supervisor": stale, "app": stale}))
            end_workloads(settings)
            assert later.poll() is None
        finally:
            later.kill()
