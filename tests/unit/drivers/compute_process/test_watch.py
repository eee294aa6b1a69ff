"""An exit is noticed at once where the kernel tells, soon where it does not, and once only."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator

import pytest
import uvloop

from hanse.drivers.compute_process.processes import identify
from hanse.drivers.compute_process.watch import Watch


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


async def end_is_noticed(sleeper: subprocess.Popen[bytes], by_kernel: bool) -> None:
    ended: list[str] = []
    watch = Watch(identify(sleeper.pid), lambda: ended.append("ended"), by_kernel=by_kernel)
    assert not await watch.wait(0.05)
    assert ended == []
    sleeper.kill()
    assert await watch.wait(20)
    await asyncio.sleep(0.15)
    assert ended == ["ended"]
    watch.close()


@pytest.mark.parametrize("by_kernel", [True, False])
async def test_the_end_of_a_process_is_noticed_once(sleeper: subprocess.Popen[bytes], by_kernel: bool) -> None:
    await end_is_noticed(sleeper, by_kernel)


@pytest.mark.parametrize("by_kernel", [True, False])
def test_the_event_loop_of_the_server_notices_too(sleeper: subprocess.Popen[bytes], by_kernel: bool) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(end_is_noticed(sleeper, by_kernel))


@pytest.mark.parametrize("by_kernel", [True, False])
async def test_what_had_ended_before_is_noticed_too(sleeper: subprocess.Popen[bytes], by_kernel: bool) -> None:
    identity = identify(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert await Watch(identity, lambda: None, by_kernel=by_kernel).wait(20)


@pytest.mark.parametrize("by_kernel", [True, False])
async def test_a_closed_watch_says_nothing(sleeper: subprocess.Popen[bytes], by_kernel: bool) -> None:
    ended: list[str] = []
    watch = Watch(identify(sleeper.pid), lambda: ended.append("ended"), by_kernel=by_kernel)
    watch.close()
    watch.close()
    sleeper.kill()
    sleeper.wait()
    await asyncio.sleep(0.2)
    assert ended == []
