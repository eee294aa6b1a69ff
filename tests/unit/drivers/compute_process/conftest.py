"""Real workloads for the process driver; whatever a test leaves behind is ended by the driver itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.drivers.compute_process.instances import Instance
from hanse.drivers.compute_process.processes import every_process
from hanse.refpoints.mm7 import Limits, Workload

Write = Callable[..., Workload]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the driver keeps everything."""
    return tmp_path / "compute"


@pytest.fixture
async def compute(directory: Path) -> AsyncIterator[ProcessCompute]:
    driver = ProcessCompute(directory)
    yield driver
    await driver.close()
    await end_everything(directory)


async def end_everything(directory: Path) -> None:
    last = ProcessCompute(directory)
    for status in await last.list():
        await last.delete(status.instance_id)
    await last.close()


async def script(
    compute: ProcessCompute, tmp_path: Path, text: str, instance_id: str = "app-1", limits: Limits | None = None
) -> Workload:
    """A created workload that runs this program."""
    source = tmp_path / f"{instance_id}.py"
    await asyncio.to_thread(source.write_text, text)
    await compute.prepare(instance_id, source)
    workload = Workload(
        instance_id=instance_id,
        image_id=instance_id,
        command=("python3", source.name),
        address="127.9.0.1",
        limits=limits or Limits(),
    )
    await compute.create(workload)
    return workload


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1000):
        if await condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it did not come to pass in 20 seconds")


async def said(compute: ProcessCompute, words: bytes, instance_id: str = "app-1") -> None:
    async def heard() -> bool:
        return words in await compute.output(instance_id)

    await until(heard)


def supervisor_of(directory: Path) -> int:
    run = Instance(directory / "instances", "app-1").run()
    assert run is not None
    return run.supervisor.pid


def of_instance(directory: Path) -> list[int]:
    """The living processes that belong to workloads below a directory, and their supervisors."""
    return [process.pid for process in every_process() if str(directory).encode() in _traits(process.pid)]


def _traits(pid: int) -> bytes:
    """Command line and environment."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


async def nothing_left(directory: Path) -> None:
    await so_many_left(directory, 0)


async def so_many_left(directory: Path, number: int) -> None:
    """Wait until just so many live: a supervisor that was one too many ends by itself."""

    async def as_many() -> bool:
        return len(await asyncio.to_thread(of_instance, directory)) == number

    await until(as_many)
