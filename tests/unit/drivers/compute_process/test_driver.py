"""The driver as the VIM sees it, beyond what every driver owes: on the server's loop, and where helpers fail."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
import uvloop

from hanse.drivers.compute_process import probe
from hanse.drivers.compute_process.abilities import find_out
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.kit.failpoints import EFFECTS
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mm7 import WorkloadState

from .conftest import nothing_left, script


def test_a_whole_life_passes_on_the_event_loop_of_the_server(tmp_path: Path, directory: Path) -> None:
    async def life() -> None:
        compute = ProcessCompute(directory)
        await script(compute, tmp_path, "import time; time.sleep(600)")
        running = await compute.start("app-1")
        assert running.pid is not ABSENT
        os.kill(running.pid, 9)
        assert (await anext(aiter(compute.events()))).state is WorkloadState.EXITED
        await compute.start("app-1")
        await compute.delete("app-1")
        await compute.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(life())
        runner.run(nothing_left(directory))


async def test_a_host_that_cannot_run_a_supervisor_says_so(
    compute: ProcessCompute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await script(compute, tmp_path, "print(1)")
    monkeypatch.setattr("hanse.drivers.compute_process.launch.SOURCES", "/nowhere")
    with pytest.raises(Problem, match="supervisor of workload app-1 failed") as caught:
        await compute.start("app-1")
    assert "hanse" in caught.value.detail
    assert (await compute.status("app-1")).state is WorkloadState.CREATED


async def test_a_host_without_an_interpreter_says_so(
    compute: ProcessCompute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await script(compute, tmp_path, "print(1)")
    monkeypatch.setattr("hanse.drivers.compute_process.launch.INTERPRETER", "/nowhere/python3")
    with pytest.raises(Problem, match="the start of workload app-1"):
        await compute.start("app-1")


async def test_a_lock_that_somebody_else_holds_is_named(
    compute: ProcessCompute, tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr("hanse.drivers.compute_process.attachment._PATIENCE", 0.1)
    await script(compute, tmp_path, "print(1)")
    lock = os.open(directory / "instances" / "app-1" / "lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(Problem, match="app-1 is locked") as caught:
        await compute.start("app-1")
    os.close(lock)
    assert caught.value.status == 409
    assert await compute.start("app-1")


async def test_credentials_in_a_workload_are_readable_by_its_user_only(
    compute: ProcessCompute, tmp_path: Path, directory: Path
) -> None:
    await script(compute, tmp_path, "print(1)")
    assert (directory / "instances" / "app-1").stat().st_mode & 0o777 == 0o700


async def test_what_the_driver_lacks_is_said_with_reasons() -> None:
    found = await find_out()
    assert found.kind == "process"
    assert found.available
    assert "memory of each process" in found.isolates
    assert "any local process can dial any other" in found.lacks["network"]
    assert {"cpu", "memory", "files"} <= found.lacks.keys()


async def test_a_host_that_runs_nothing_is_said_to_be_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (("/nowhere/python3",), ("false",)):
        monkeypatch.setattr("hanse.drivers.compute_process.abilities.PYTHON", command)
        found = await find_out()
        assert not found.available
        assert "no process can be started" in found.lacks["processes"]


def test_a_trial_that_fails_or_crashes_gives_its_reason() -> None:
    def fails() -> None:
        raise OSError(1, "not here")

    assert "not here" in probe.attempt(fails)
    assert "status 9" in probe.attempt(lambda: os.kill(os.getpid(), 9))
    assert probe.attempt(lambda: None) == ""


def test_every_effect_on_the_host_is_marked() -> None:
    marked = {name for name in EFFECTS if name.startswith("compute.")}
    assert marked >= {f"compute.{name}" for name in ("image", "create", "spawn", "stop", "delete")}
