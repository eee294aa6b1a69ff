"""Commands for namespaces: they end with whoever asked for them, and what is not installed is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from hanse.drivers.dataplane_nftables.namespaces import run
from hanse.kit.problems import Problem
from tests.bounds import SOON

ASKING = """
import asyncio, sys
from hanse.drivers.dataplane_nftables.namespaces import run
asyncio.run(run(["sh", "-c", sys.argv[1]]))
"""


def test_no_command_goes_on_when_who_asked_was_killed_and_makes_what_nobody_knows_of(tmp_path: Path) -> None:
    told = tmp_path / "told"
    saying = f"echo $$ > {told}.new; mv {told}.new {told}; exec sleep 1000"
    with subprocess.Popen([sys.executable, "-c", ASKING, saying]) as asking:
        until(told.exists)
        asking.kill()
    command = int(told.read_text())
    try:
        until(lambda: not Path("/proc", str(command), "exe").exists())
    finally:
        with suppress(ProcessLookupError):
            os.kill(command, signal.SIGKILL)


def until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_what_is_not_installed_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(Problem, match="no-such-program cannot be run") as caught:
        await run(["no-such-program"])
    assert "make system" in (caught.value.detail or "")
