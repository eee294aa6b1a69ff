"""A supervisor keeps its promises whatever happens to it, to the workload and to the VIM."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hanse.drivers.compute_process import record
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.drivers.compute_process.instances import Instance
from hanse.drivers.compute_process.launch import PYTHON, SOURCES, Answer, launch
from hanse.drivers.compute_process.processes import stat
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mm7 import Limits, Workload, WorkloadState
from tests.bounds import SOON

from .conftest import nothing_left, of_instance, said, script, supervisor_of, until

FAMILY = """
import os, time
heard, said = os.pipe()
if os.fork() == 0:
    os.fork()
    time.sleep(600)
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    print("daemon"); os.write(said, b"."); time.sleep(600)
os.read(heard, 1)
"""
_OF_THE_C_LIBRARY = 3 << 31
"""Signals 32 and 33: glibc ignores them in what it spawns, and sets them up again where it needs them."""
SERVE = "import time; print('serving'); time.sleep(600)"


async def test_an_app_that_ends_takes_its_children_and_daemons_with_it(
    compute: ProcessCompute, tmp_path: Path, directory: Path
) -> None:
    await script(compute, tmp_path, FAMILY + "raise SystemExit(4)")
    await compute.start("app-1")
    await said(compute, b"daemon")
    event = await anext(aiter(compute.events()))
    assert event.exit is not ABSENT
    assert event.exit.exit_code == 4
    assert of_instance(directory) == []


async def test_a_killed_supervisor_takes_the_app_its_children_and_daemons_with_it(
    compute: ProcessCompute, tmp_path: Path, directory: Path
) -> None:
    await script(compute, tmp_path, FAMILY + "time.sleep(600)")
    await compute.start("app-1")
    await said(compute, b"daemon")
    os.kill(supervisor_of(directory), signal.SIGKILL)
    event = await anext(aiter(compute.events()))
    assert event.state is WorkloadState.EXITED
    assert event.exit is not ABSENT
    assert event.exit.signal == signal.SIGKILL
    await nothing_left(directory)


async def test_an_app_whose_supervisor_hangs_can_still_be_deleted(
    compute: ProcessCompute, tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanse.drivers.compute_process.driver._PATIENCE", 0.4)
    await script(compute, tmp_path, SERVE)
    await compute.start("app-1")
    os.kill(supervisor_of(directory), signal.SIGSTOP)
    await compute.delete("app-1")
    await nothing_left(directory)


async def test_an_app_that_closes_its_output_lives_on(compute: ProcessCompute, tmp_path: Path) -> None:
    await script(compute, tmp_path, "import os, time; os.close(1); os.close(2); time.sleep(600)")
    await compute.start("app-1")
    await asyncio.sleep(0.2)
    assert (await compute.status("app-1")).state is WorkloadState.RUNNING
    assert (await compute.stop("app-1", 5)).state is WorkloadState.EXITED


async def test_the_last_words_of_a_crashing_app_are_kept(compute: ProcessCompute, tmp_path: Path) -> None:
    await script(compute, tmp_path, "import os; os.write(1, b'a' * 300000 + b'the end'); os.abort()")
    await compute.start("app-1")
    event = await anext(aiter(compute.events()))
    assert event.exit is not ABSENT
    assert event.exit.signal == signal.SIGABRT
    assert len(output := await compute.output("app-1")) == 300007
    assert output.endswith(b"the end")


async def test_an_app_gets_its_bounds_and_no_open_files_of_others(compute: ProcessCompute, tmp_path: Path) -> None:
    program = """
import os, resource as r
print(r.getrlimit(r.RLIMIT_NOFILE), r.getrlimit(r.RLIMIT_CORE), r.getrlimit(r.RLIMIT_AS))
print(sorted(os.listdir('/proc/self/fd')), os.getcwd() == os.environ['HOME'])
"""
    workload = await script(compute, tmp_path, program)
    assert workload.limits == Limits()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        await compute.start("app-1")
    await anext(aiter(compute.events()))
    lines = (await compute.output("app-1")).decode().splitlines()
    assert lines == ["(256, 256) (0, 0) (268435456, 268435456)", "['0', '1', '2', '3'] True"]


async def test_an_app_writes_no_file_beyond_its_bound(compute: ProcessCompute, tmp_path: Path) -> None:
    program = """
import os
file = os.open('grown', os.O_CREAT | os.O_WRONLY)
try:
    while True:
        os.write(file, b'x' * 1000)
except OSError as error:
    print(error.strerror, os.fstat(file).st_size)
"""
    await script(compute, tmp_path, program, limits=Limits(largest_file=10_500))
    await compute.start("app-1")
    await anext(aiter(compute.events()))
    assert (await compute.output("app-1")).decode().splitlines() == ["File too large 10500"]


async def test_an_app_that_ends_before_its_start_is_known_is_reported_all_the_same(
    compute: ProcessCompute, tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def launch_and_lag(instance: Instance) -> Answer:
        answer = await launch(instance)
        supervisor = supervisor_of(directory)
        await until(lambda: asyncio.to_thread(lambda: stat(supervisor).state in "ZX"))  # type: ignore[union-attr]
        return answer

    monkeypatch.setattr("hanse.drivers.compute_process.driver.launch", launch_and_lag)
    await script(compute, tmp_path, "raise SystemExit(3)")
    assert (await compute.start("app-1")).state is WorkloadState.EXITED
    event = await asyncio.wait_for(anext(aiter(compute.events())), SOON)
    assert event.exit is not ABSENT
    assert event.exit.exit_code == 3
    assert stat(supervisor_of(directory)) is None


async def test_an_app_starts_with_ordinary_signals(compute: ProcessCompute, tmp_path: Path) -> None:
    await rewritten(compute, tmp_path, "grep", "-E", "SigIgn|SigBlk", "/proc/self/status")
    await compute.start("app-1")
    await anext(aiter(compute.events()))
    masks = [int(line.split()[1], 16) for line in (await compute.output("app-1")).splitlines()]
    assert [mask & ~_OF_THE_C_LIBRARY for mask in masks] == [0, 0]


async def rewritten(compute: ProcessCompute, tmp_path: Path, *command: str) -> None:
    await script(compute, tmp_path, SERVE)
    await compute.delete("app-1")
    await compute.create(Workload(instance_id="app-1", image_id="app-1", command=command, address="127.9.0.1"))


async def test_a_program_that_does_not_exist_is_said_to_the_caller(compute: ProcessCompute, tmp_path: Path) -> None:
    workload = await script(compute, tmp_path, SERVE)
    await compute.delete("app-1")
    await compute.create(
        type(workload)(instance_id="app-1", image_id="app-1", command=("nosuch",), address="127.9.0.1")
    )
    with pytest.raises(Problem, match=r"command.*No such file") as caught:
        await compute.start("app-1")
    assert caught.value.status == 400
    assert (await compute.status("app-1")).state is WorkloadState.CREATED


async def test_a_second_supervisor_runs_nothing(compute: ProcessCompute, tmp_path: Path, directory: Path) -> None:
    await script(compute, tmp_path, SERVE)
    await compute.start("app-1")
    second = await asyncio.to_thread(supervise, directory / "instances" / "app-1")
    assert second.stdout.startswith(b'{"state": "taken"')
    await said(compute, b"serving")
    assert (await compute.output("app-1")).count(b"serving") == 1


def supervise(folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = [*PYTHON, "hanse.drivers.compute_process.supervisor", str(folder)]
    return subprocess.run(command, env={"PYTHONPATH": SOURCES}, capture_output=True, check=True, timeout=100)


async def test_a_supervisor_that_cannot_work_says_why(compute: ProcessCompute, tmp_path: Path, directory: Path) -> None:
    await script(compute, tmp_path, SERVE)
    await asyncio.to_thread((directory / "instances" / "app-1" / "work").rmdir)
    with pytest.raises(Problem, match=r"work") as caught:
        await compute.start("app-1")
    assert caught.value.status in (400, 500)


def processor_seconds(run: Callable[[], object]) -> float:
    """What the processes that it starts take."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_a_supervisor_starts_with_the_standard_library_only_and_fast(tmp_path: Path) -> None:
    bare = [*PYTHON[:-1], "-c", "import json, os, select, signal, time"]
    floor, taken = [], []
    for _ in range(5):
        floor.append(processor_seconds(lambda: subprocess.run(bare, env={}, check=True)))
        taken.append(processor_seconds(lambda: supervise(tmp_path)))
    assert min(taken) < 4 * min(floor), "measured: 2; what imports the packages of the product takes 10 and more"
    assert b"taken" in supervise(tmp_path).stdout
    code = "import sys, hanse.drivers.compute_process.supervisor; print([n for n in sys.modules if n == 'msgspec'])"
    listed = subprocess.run([*PYTHON[:-1], "-c", code], env={"PYTHONPATH": SOURCES}, capture_output=True, check=True)
    assert listed.stdout.strip() == b"[]"


async def test_a_zombie_supervisor_is_reaped_and_not_taken_for_alive(
    compute: ProcessCompute, tmp_path: Path, directory: Path
) -> None:
    await script(compute, tmp_path, "print('short')")
    await compute.start("app-1")
    pid = supervisor_of(directory)
    await anext(aiter(compute.events()))

    async def reaped() -> bool:
        return not await asyncio.to_thread(Path(f"/proc/{pid}").exists)

    await until(reaped)
    assert record.read_run(str(directory / "instances" / "app-1")) is not None
