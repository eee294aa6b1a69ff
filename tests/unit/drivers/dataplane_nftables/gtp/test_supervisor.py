"""The process of a tunnel end: it goes on when its plane is killed, is found again, and is never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hanse.drivers.dataplane_nftables.gtp.supervisor import Supervisor, end_left, left
from hanse.drivers.dataplane_nftables.namespaces import DIRECTORY, batch, existing, inside
from hanse.kit.problems import Problem
from tests.contract.air import on_air
from tests.contract.grounds import applications, echo, skip_without_kernel
from tests.contract.radio import Radio, said_to

ROOT = Path(__file__).resolve().parents[5]
PATIENCE = 20


@pytest.fixture
async def name() -> str:
    await skip_without_kernel()
    return f"end-{os.getpid()}"


def carry_and_be_killed(name: str) -> None:
    command = [sys.executable, "-m", "tests.unit.drivers.dataplane_nftables.gtp.carrying", name]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == "carrying"
        process.kill()


@pytest.fixture
async def killed(name: str) -> AsyncIterator[Radio]:
    """A plane that carries, and whose process was killed."""
    carry_and_be_killed(name)
    killed = Radio(name)
    yield killed
    await killed.nftables.ground.clear()


async def gone(space: str) -> None:
    """Wait until no tunnel end of a namespace runs."""
    async with asyncio.timeout(PATIENCE):
        while left(space):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_devices_go_on_while_no_plane_is_there_and_the_next_one_takes_over(killed: Radio) -> None:
    [before] = left(killed.site.plane_space)
    async with on_air(killed), applications(killed) as serve:
        await serve(echo)
        assert await said_to(killed, b"nobody home") == b"nobody home"
    again = Radio(killed.site.name)
    await again.start()
    try:
        [after] = left(again.site.plane_space)
        assert before != after
        assert "up" not in await again.nftables.tunnel_counts()
    finally:
        await again.close()
    assert left(again.site.plane_space) == []
    assert existing(again.site.plane_space) == []


async def test_an_end_whose_namespace_was_removed_ends_by_itself(killed: Radio) -> None:
    assert len(left(killed.site.plane_space)) == 1
    await batch([f"netns delete {space}" for space in reversed(existing(killed.site.plane_space))])
    await gone(killed.site.plane_space)


async def test_an_end_whose_name_another_namespace_has_now_ends_by_itself(killed: Radio) -> None:
    space = killed.site.plane_space
    await batch([f"netns delete {each}" for each in reversed(existing(space))])
    await batch([f"netns add {space}"])
    try:
        await gone(space)
    finally:
        await batch([f"netns delete {space}"])


async def test_the_end_of_another_plane_is_left_alone(killed: Radio) -> None:
    found = left(killed.site.plane_space)
    end_left(f"{killed.site.plane_space}-b")
    end_left(killed.site.plane_space[:-1])
    assert left(killed.site.plane_space) == found != []


@pytest.fixture
async def space(name: str) -> AsyncIterator[str]:
    """A namespace with nothing in it but its loopback."""
    await batch([f"netns add hanse-{name}"])
    await batch(["link set lo up", "tuntap add dev gtp0 mode tap", "link set gtp0 up"], f"hanse-{name}")
    yield f"hanse-{name}"
    await batch([f"netns delete hanse-{name}"])


async def test_an_end_that_cannot_listen_says_why(space: str) -> None:
    with inside(space):
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 2152))
    end = Supervisor(space, ["127.0.0.1"], ["gtp0"])
    with taken, pytest.raises(Problem, match="Address already in use") as refused:
        await end.start()
    assert refused.value.status == 500
    await end.close()
    assert left(space) == []


async def test_an_end_that_is_killed_again_and_again_comes_back(space: str) -> None:
    end = Supervisor(space, ["127.0.0.1"], ["gtp0"])
    await end.start()
    try:
        seen = set()
        for _ in range(3):
            [pid] = left(space)
            seen.add(pid)
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(PATIENCE):
                while left(space) in ([], [pid]):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert "down" not in await end.counts()
        assert len(seen) == 3
    finally:
        await end.close()
    assert left(space) == []
    assert (DIRECTORY / space).exists()
