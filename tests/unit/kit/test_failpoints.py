"""A crash test ends the process exactly where it says, and an unarmed process never notices."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import hanse
from hanse.kit.failpoints import EFFECTS, effect, reach

PROGRAM = """
import asyncio
from hanse.kit.failpoints import effect
@effect("world.change")
async def change(n):
    print("change", n, flush=True)
    return n
@effect("world.look")
def look(n):
    print("look", n, flush=True)
    return n
async def main():
    for n in (1, 2, 3):
        assert await change(n) == n
        assert look(n) == n
asyncio.run(main())
print("end", flush=True)
"""
ARMED_BY_ITSELF = """
async def main():
    await change(1)
    look(1)
    open("{orders}", "w").write("world.look:after")
    await change(2)
    look(2)
asyncio.run(main())
"""
WHOLE = ["change 1", "look 1", "change 2", "look 2", "change 3", "look 3", "end"]


@pytest.mark.parametrize(
    ("armed", "lines"),
    [
        (None, 7),
        ("other.thing:before", 7),
        ("world:before", 7),
        ("world.change:before@4", 7),
        ("world.change:before", 0),
        ("world.change:after", 1),
        ("world.look:before@2", 3),
        ("world.look:after@3", 6),
    ],
)
def test_a_process_ends_at_its_failpoint_as_by_a_power_cut(armed: str | None, lines: int) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "HANSE_FAILPOINT"}
    environment["PYTHONPATH"] = str(Path(hanse.__file__).parents[1])
    if armed is not None:
        environment["HANSE_FAILPOINT"] = armed
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=100
    )
    assert ended.stdout.splitlines() == WHOLE[:lines], ended.stderr
    assert ended.returncode == (0 if lines == 7 else -signal.SIGKILL)


def test_a_process_at_work_is_armed_by_a_file(tmp_path: Path) -> None:
    orders = tmp_path / "orders"
    environment = {**os.environ, "PYTHONPATH": str(Path(hanse.__file__).parents[1]), "HANSE_FAILPOINT": str(orders)}
    program = PROGRAM[: PROGRAM.index("async def main")] + ARMED_BY_ITSELF.format(orders=orders)
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert ended.stdout.splitlines() == WHOLE[:4], ended.stderr
    assert ended.returncode == -signal.SIGKILL


def test_an_unarmed_effect_is_the_function_itself_and_is_listed() -> None:
    async def spawn() -> int:
        return 1

    marked = effect("test.spawn")(spawn)
    try:
        assert marked is spawn
        assert asyncio.run(marked()) == 1
        assert EFFECTS["test.spawn"].endswith("spawn")
        reach("test.spawn:before")
    finally:
        del EFFECTS["test.spawn"]
