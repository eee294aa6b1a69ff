"""A data plane that is killed in the middle of anything: the next start finds what it left and begins anew."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hanse.drivers.dataplane_nftables.namespaces import DIRECTORY, existing, run
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.kit.problems import Problem
from tests.contract.grounds import Namespaces, applications, rule, says, told

ROOT = Path(__file__).resolve().parents[4]
MOMENTS = (
    "data_plane.ground:before",
    "data_plane.ground:after",
    "data_plane.tell:before",
    "data_plane.tell:after",
    "data_plane.tell:before@2",
    "data_plane.tell:after@2",
    "data_plane.change:after@2",
    "data_plane.withdraw:before",
    "data_plane.withdraw:after@2",
)


@pytest.fixture
async def name() -> str:
    if reason := (await found_out()).get("kernel"):
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    return f"kill-{os.getpid()}"


def changing(name: str, failpoint: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.unit.drivers.dataplane_nftables.changing", name]
    paths = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    environment = {**os.environ, "HANSE_FAILPOINT": failpoint, "PYTHONPATH": paths}
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kill_after(name: str, word: str, seconds: float) -> int:
    """Kill it so long after it said a word; returns its number."""
    with changing(name) as process:
        assert process.stdout
        while process.stdout.readline().strip() != word:
            assert process.poll() is None
        time.sleep(seconds)
        process.kill()
    return process.pid


async def assert_begins_anew(name: str, killed: int) -> None:
    """What a killed process left is gone or as it should be, and rules are carried out again."""
    spaces = Namespaces(name)
    await spaces.start()
    try:
        assert await spaces.plane.forwardings() == []
        assert len(existing(spaces.site.plane_space)) == 6
        async with applications(spaces) as serve:
            await serve(says(b"hello"))
            with pytest.raises(ConnectionError):
                await told(spaces)
            await spaces.plane.install("r", rule(spaces))
            assert await told(spaces) == b"hello"
        assert [c.flows for c in await spaces.plane.counters()] == [1]
    finally:
        await spaces.close()
    assert existing(spaces.site.plane_space) == []
    assert list(DIRECTORY.glob(f"hanse-try-*-{killed}")) == [], "where it tried what the kernel can do"
    assert spaces.site.home_link not in await run(["ip", "-brief", "link"])


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_plane_that_was_killed_begins_anew(name: str, moment: str) -> None:
    with changing(name, moment) as process:
        assert process.wait(timeout=100) == -9
    await assert_begins_anew(name, process.pid)


@pytest.mark.parametrize("milliseconds", [5, 25, 45, 65, 85])
async def test_a_plane_that_was_killed_while_it_made_its_namespaces_begins_anew(name: str, milliseconds: int) -> None:
    await assert_begins_anew(name, kill_after(name, "begun", milliseconds / 1000))


@pytest.mark.parametrize("milliseconds", [3, 40, 77, 111])
async def test_a_plane_that_was_killed_while_it_changed_rules_begins_anew(name: str, milliseconds: int) -> None:
    await assert_begins_anew(name, kill_after(name, "started", milliseconds / 1000))


async def test_another_plane_whose_name_begins_alike_is_left_alone(name: str) -> None:
    longer = Namespaces(f"{name}-b")
    await longer.start()
    try:
        await Namespaces(name).nftables.close()
        assert len(existing(longer.site.plane_space)) == 6
    finally:
        await longer.close()


async def test_a_rule_is_not_taken_into_the_namespaces_of_a_killed_plane_and_lost_with_them(name: str) -> None:
    left = Namespaces(name)
    await left.start()
    spaces = Namespaces(name)
    try:
        with pytest.raises(Problem, match="has not started") as refused:
            await spaces.plane.install("r", rule(spaces))
        assert refused.value.status == 503
        await spaces.start()
        assert await spaces.plane.forwardings() == []
        async with applications(spaces) as serve:
            await serve(says(b"hello"))
            await spaces.plane.install("r", rule(spaces))
            assert await told(spaces) == b"hello"
    finally:
        await spaces.close()
