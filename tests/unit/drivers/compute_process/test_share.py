"""An app gets the share of the processor that it was given, about, and can still be stopped."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.drivers.compute_process.processes import stat
from hanse.drivers.compute_process.share import Share, clock_of
from hanse.kit.values import ABSENT
from hanse.refpoints.mm7 import Limits, Workload, WorkloadState
from tests.bounds import SOON

from .conftest import said, script, until

BUSY = "print('busy')\nwhile True: pass"


async def busy(compute: ProcessCompute, tmp_path: Path, text: str, milli: int) -> int:
    """Start a program with a share; returns its pid."""
    await script(compute, tmp_path, text)
    await compute.delete("app-1")
    command = ("python3", "app-1.py")
    limits = Limits(cpu_milli=milli)
    await compute.create(
        Workload(instance_id="app-1", image_id="app-1", command=command, address="127.9.0.1", limits=limits)
    )
    started = await compute.start("app-1")
    await said(compute, b"busy")
    assert started.pid is not ABSENT
    return started.pid


async def held_back(pid: int) -> None:
    """Wait until it is stopped, which it then is nearly all the time."""

    async def stopped() -> bool:
        found = stat(pid)
        return found is not None and found.state == "T"

    await until(stopped)


async def used_in(pid: int, seconds: float) -> float:
    before, began = time.clock_gettime(clock_of(pid)), time.monotonic()
    await asyncio.sleep(seconds)
    return (time.clock_gettime(clock_of(pid)) - before) / (time.monotonic() - began)


async def test_a_busy_app_leaves_the_processor_to_others(compute: ProcessCompute, tmp_path: Path) -> None:
    pid = await busy(compute, tmp_path, BUSY, milli=200)
    assert 0.02 < await used_in(pid, 2.0) < 0.5, "a fifth, about; one without a bound takes all"


async def test_an_app_that_is_held_back_still_ends_in_its_own_way(compute: ProcessCompute, tmp_path: Path) -> None:
    polite = f"import signal, sys; signal.signal(15, lambda *_: sys.exit(7))\n{BUSY}"
    pid = await busy(compute, tmp_path, polite, milli=10)
    await held_back(pid)
    stopped = await compute.stop("app-1", SOON)
    assert stopped.exit is not ABSENT
    assert stopped.exit.exit_code == 7


async def test_an_app_that_is_held_back_counts_as_running(compute: ProcessCompute, tmp_path: Path) -> None:
    await held_back(await busy(compute, tmp_path, BUSY, milli=10))
    assert (await compute.status("app-1")).state is WorkloadState.RUNNING
    stopped = await compute.stop("app-1", 0)
    assert stopped.exit is not ABSENT
    assert stopped.exit.signal == signal.SIGKILL


@pytest.mark.parametrize(("pid", "milli"), [(1, 0), (2**22 + 1, 500)])
def test_an_app_without_a_share_or_gone_is_not_looked_at(pid: int, milli: int) -> None:
    assert Share(pid, milli).pace() is None
