"""The VIM dies at the worst moments; nothing runs twice, nothing is lost, nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.drivers.compute_process.launch import SOURCES
from hanse.drivers.compute_process.processes import kill
from hanse.kit.values import ABSENT
from hanse.refpoints.mm7 import Workload, WorkloadState

from .conftest import end_everything, nothing_left, of_instance, said, so_many_left, supervisor_of

VIM = """
import asyncio, sys
from pathlib import Path
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.refpoints.mm7 import Workload

async def main(directory, source, *steps):
    compute = ProcessCompute(Path(directory))
    await compute.prepare("image", Path(source))
    command = ("python3", "app.py")
    await compute.create(Workload(instance_id="app-1", image_id="image", command=command, address="127.9.0.1"))
    for step in steps:
        await {"start": compute.start, "delete": compute.delete}[step]("app-1")
    print("done", flush=True)
    await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""
SERVE = "import time; print('serving'); time.sleep(600)"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(SERVE)
    return tmp_path / "app.py"


@pytest.fixture
async def again(directory: Path) -> AsyncIterator[ProcessCompute]:
    """The VIM after its restart."""
    driver = ProcessCompute(directory)
    yield driver
    await driver.close()
    await end_everything(directory)


def vim(directory: Path, source: Path, *steps: str, failpoint: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", VIM, str(directory), str(source), *steps],
        env={**os.environ, "PYTHONPATH": SOURCES, "HANSE_FAILPOINT": failpoint},
        stdout=subprocess.PIPE,
    )


async def killed(process: subprocess.Popen[bytes]) -> None:
    """Wait until it says that it is done, and end it as by a power cut; one with a failpoint ends itself before."""
    assert process.stdout
    with process.stdout:
        await asyncio.to_thread(process.stdout.readline)
    process.kill()
    assert await asyncio.to_thread(process.wait, 20) == -signal.SIGKILL


WORKLOAD = Workload(instance_id="app-1", image_id="image", command=("python3", "app.py"), address="127.9.0.1")


async def test_an_app_outlives_a_killed_vim_and_is_taken_up_by_the_next(
    again: ProcessCompute, directory: Path, source: Path
) -> None:
    await killed(vim(directory, source, "start"))
    found = await again.status("app-1")
    assert found.state is WorkloadState.RUNNING
    assert found.pid is not ABSENT
    assert await again.start("app-1") == found
    os.kill(found.pid, signal.SIGSEGV)
    event = await anext(aiter(again.events()))
    assert event.exit is not ABSENT
    assert event.exit.signal == signal.SIGSEGV


async def test_an_app_that_died_while_no_vim_was_there_is_reported(
    again: ProcessCompute, directory: Path, source: Path
) -> None:
    await killed(vim(directory, source, "start"))
    for pid in await asyncio.to_thread(of_instance, directory):
        kill(pid)  # the supervisor too: nobody is left to record anything
    await nothing_left(directory)
    event = await anext(aiter(again.events()))
    assert (event.instance_id, event.state) == ("app-1", WorkloadState.EXITED)


@pytest.mark.parametrize("point", ["compute.image", "compute.create", "compute.spawn"])
@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_crash_on_the_way_to_a_running_app_is_made_good_by_doing_it_again(
    again: ProcessCompute, directory: Path, source: Path, point: str, side: str
) -> None:
    await killed(vim(directory, source, "start", failpoint=f"{point}:{side}"))
    await again.prepare("image", source)
    await again.create(WORKLOAD)
    assert (await again.start("app-1")).state is WorkloadState.RUNNING
    await said(again, b"serving")
    await so_many_left(directory, 2)  # the app and its supervisor
    assert (await again.output("app-1")).count(b"serving") == 1


@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_crash_while_deleting_leaves_nothing_once_it_is_done_again(
    again: ProcessCompute, directory: Path, source: Path, side: str
) -> None:
    await killed(vim(directory, source, "start", "delete", failpoint=f"compute.delete:{side}"))
    await again.delete("app-1")
    assert await again.list() == []
    assert await asyncio.to_thread(lambda: list((directory / "instances").iterdir())) == []
    await nothing_left(directory)


async def test_two_vims_at_once_run_one_app(again: ProcessCompute, directory: Path, source: Path) -> None:
    await again.prepare("image", source)
    await again.create(WORKLOAD)
    others = [vim(directory, source, "start") for _ in range(3)]
    await again.start("app-1")
    await asyncio.gather(*(killed(other) for other in others))
    await said(again, b"serving")
    await so_many_left(directory, 2)
    assert (await again.output("app-1")).count(b"serving") == 1


async def test_twenty_drivers_on_one_directory_run_one_app(
    again: ProcessCompute, directory: Path, source: Path
) -> None:
    await again.prepare("image", source)
    await again.create(WORKLOAD)
    drivers = [ProcessCompute(directory) for _ in range(20)]
    started = await asyncio.gather(*(driver.start("app-1") for driver in drivers))
    assert len({status.pid for status in started}) == 1
    await so_many_left(directory, 2)
    for driver in drivers:
        await driver.close()


async def test_what_a_crash_left_half_removed_is_tidied_up(again: ProcessCompute, directory: Path) -> None:
    for half in ("instances/.gone-app-1-00", "images/.draft-x"):
        await asyncio.to_thread((directory / half / "work").mkdir, parents=True)
    assert await again.list() == []
    assert await asyncio.to_thread(lambda: list(directory.glob("*/.*"))) == []


async def test_a_damaged_record_does_not_hide_the_other_apps(
    again: ProcessCompute, directory: Path, source: Path
) -> None:
    await again.prepare("image", source)
    await again.create(WORKLOAD)
    await asyncio.to_thread((directory / "instances" / "app-1" / "spec.json").write_text, "{")
    second = ProcessCompute(directory)
    with pytest.raises(Exception, match="damaged"):
        await second.status("app-1")
    await second.delete("app-1")
    assert await second.list() == []
    await second.close()


@pytest.mark.parametrize("damaged", [False, True])
async def test_deleting_a_workload_whose_supervisor_was_killed_unseen_ends_its_daemons(
    again: ProcessCompute, directory: Path, source: Path, damaged: bool
) -> None:
    await asyncio.to_thread(source.write_text, f"import os\nif os.fork() == 0: os.setsid(); print('daemon')\n{SERVE}")
    await killed(vim(directory, source, "start"))
    await said(again, b"daemon")
    os.kill(supervisor_of(directory), signal.SIGKILL)
    if damaged:
        await asyncio.to_thread((directory / "instances" / "app-1" / "spec.json").write_text, "{")
    second = ProcessCompute(directory)
    await second.delete("app-1")
    await second.close()
    await nothing_left(directory)


async def test_an_app_ends_with_its_supervisor_though_no_vim_is_there(
    again: ProcessCompute, directory: Path, source: Path
) -> None:
    await killed(vim(directory, source, "start"))
    await said(again, b"serving")  # reading output attaches nothing: only the kernel is left to end the app
    os.kill(supervisor_of(directory), signal.SIGKILL)
    await nothing_left(directory)
