"""A host in trouble says what is wrong, in words of the VIM."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.drivers.compute_process.troubles import problem_of, refusal, translated
from hanse.kit.problems import Problem
from hanse.refpoints.mm7 import Workload, WorkloadState

from .conftest import end_everything, script

SERVE = "import time; time.sleep(600)"


@pytest.mark.parametrize(
    ("number", "status"),
    [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EAGAIN, 503), (errno.EMFILE, 503), (errno.EACCES, 500)],
)
def test_every_error_of_the_system_becomes_a_problem_with_its_file(number: int, status: int) -> None:
    problem = problem_of(OSError(number, os.strerror(number), "/some/file"), "image one")
    assert problem.status == status
    assert "image one" in problem.title
    assert "/some/file" in problem.detail


def test_an_error_in_a_step_names_the_step() -> None:
    with pytest.raises(Problem, match="workload a"), translated("workload a"):
        Path("/no/such/file").read_bytes()


def test_a_bad_program_is_the_callers_fault_and_a_full_disk_is_not() -> None:
    assert refusal("workload a", 0, "No such file").status == 400
    assert refusal("workload a", errno.ENOSPC, "No space left on device").status == 507


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(place)], capture_output=True).returncode:
        pytest.skip("this needs the right to mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    assert os.statvfs(disk).f_bavail == 0
    return ballast


@pytest.mark.root
async def test_a_full_disk_is_said_and_once_there_is_room_all_goes_on(small_disk: Path, tmp_path: Path) -> None:
    compute = ProcessCompute(small_disk)
    await script(compute, tmp_path, SERVE)
    ballast = await asyncio.to_thread(fill, small_disk)
    await asyncio.to_thread((tmp_path / "big").write_bytes, bytes(8192))
    other = Workload(instance_id="b", image_id="app-1", command=("true",), address="127.9.0.1", files={"f": "x" * 9000})
    for call in (compute.prepare("big", tmp_path / "big"), compute.create(other), compute.start("app-1")):
        with pytest.raises(Problem, match="No space for") as caught:
            await call
        assert caught.value.status == 507
    await asyncio.to_thread(ballast.unlink)
    assert (await compute.start("app-1")).state is WorkloadState.RUNNING
    await compute.close()
    await end_everything(small_disk)


@pytest.mark.root
async def test_an_exit_is_recorded_and_an_app_removed_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    compute = ProcessCompute(small_disk)
    await script(compute, tmp_path, "import time; print('x' * 9000); time.sleep(600)")
    await compute.start("app-1")
    await asyncio.to_thread(fill, small_disk)
    stopped = await compute.stop("app-1", 5)
    assert stopped.state is WorkloadState.EXITED
    assert (await compute.status("app-1")).exit == stopped.exit
    await compute.delete("app-1")
    assert await compute.list() == []
    await compute.close()
