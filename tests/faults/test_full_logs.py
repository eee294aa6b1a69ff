"""What processes write of themselves is turned over while they run, each its own: it does not fill the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hanse.assembly.forgetting import LOOK
from tests.bounds import SOON
from tests.faults.apart import NAMES, PLANE, PLATFORM, Apart
from tests.faults.remains import until

FULL = b"a line of a chatty process\n" * 40_000


@pytest.mark.timeout(120)
async def test_each_process_of_an_operator_begins_a_new_log_when_its_own_is_full(tmp_path: Path) -> None:
    apart = Apart(tmp_path)
    configuration = Path(apart.settings.path)
    configuration.write_text(configuration.read_text() + "\n[retention]\nlog = 1\n")
    try:
        await apart.start(PLATFORM, PLANE, NAMES)
        logs = {name: apart.settings.directory / "log" / f"{name}.log" for name in (PLATFORM, PLANE, NAMES)}
        for name in (PLATFORM, PLANE):
            with logs[name].open("ab") as output:
                output.write(FULL)
        turned = [log.with_name(f"{log.name}.1") for log in (logs[PLATFORM], logs[PLANE])]
        assert await until(lambda: all(older.exists() for older in turned), LOOK + SOON)
        for name, log in logs.items():
            assert await until(lambda name=name, log=log: outputs(apart.pid(name)) == {log}), name  # type: ignore[misc]
            assert log.stat().st_size < len(FULL)
        assert not logs[NAMES].with_name(f"{logs[NAMES].name}.1").exists(), "that one was not full"
    finally:
        apart.clear()


def outputs(pid: int) -> set[Path]:
    """The files that a process writes its words to."""
    return {Path(os.readlink(f"/proc/{pid}/fd/{number}")) for number in (1, 2)}
