"""What the kernel can do is found out alike by whoever asks, however many ask at once."""

from __future__ import annotations

import asyncio
import os

import pytest

from hanse.drivers.dataplane_nftables.namespaces import DIRECTORY, batch
from hanse.drivers.dataplane_nftables.trial import found_out


@pytest.fixture
async def alone() -> dict[str, str]:
    """What is found out when nobody else asks."""
    found = await found_out()
    if reason := found.get("kernel"):
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    return found


def mine() -> list[str]:
    """Namespaces in which this process tries."""
    return [entry.name for entry in DIRECTORY.glob(f"hanse-try-*-{os.getpid()}")]


async def test_hosts_of_one_operator_that_start_together_are_all_told_what_the_kernel_can_do(
    alone: dict[str, str],
) -> None:
    assert await asyncio.gather(*(found_out() for _ in range(4))) == [alone] * 4
    assert mine() == []


async def test_a_trial_that_was_killed_keeps_none_of_those_who_come_together_from_trying(alone: dict[str, str]) -> None:
    trying = await asyncio.create_subprocess_exec("sleep", "600")
    left = f"hanse-try-0-{trying.pid}"
    await batch([f"netns add {left}"])  # while it lives, or others would remove it before it is there
    trying.kill()
    await trying.wait()
    assert await asyncio.gather(*(found_out() for _ in range(4))) == [alone] * 4
    assert not (DIRECTORY / left).exists()
