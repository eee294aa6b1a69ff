"""A command that is told to end ends in order: nothing that it started is left, whenever the signal comes."""

from __future__ import annotations

import glob
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hanse.assembly.deployment import Deployment
from hanse.scenarios.stage import claim

pytestmark = pytest.mark.timeout(150)

PATIENCE = 60.0


def of(directory: Path) -> list[str]:
    """Commands of the processes that name something in this directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in command:
            found.append(command)
    return found


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def start(directory: Path, *words: str) -> subprocess.Popen[bytes]:
    networks = f"hanse-networks-{os.getuid()}"  # claimed beside everybody else, though all else lies in the directory
    (Path(tempfile.gettempdir()) / networks).mkdir(exist_ok=True)
    (directory / networks).symlink_to(Path(tempfile.gettempdir()) / networks)
    environment = {**os.environ, "TMPDIR": str(directory), "HANSE_HOME": str(directory / "home")}
    return subprocess.Popen([sys.executable, "-m", "hanse", *words], env=environment, stdout=subprocess.DEVNULL)


def ended(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE)


INSTANTS: dict[str, Callable[[Path], object]] = {
    "the operators start": lambda d: len(of(d)) >= 2,
    "the operators run": lambda d: len(found(d, "hanse-*/*/run/*.json")) == 2,
    "an app runs": lambda d: found(d, "hanse-*/*/vim.*/compute/instances/*/supervisor.json"),
}


def found(directory: Path, pattern: str) -> list[str]:
    """As `Path.glob`, which fails if a directory goes away while it looks."""
    return glob.glob(pattern, root_dir=directory)


@pytest.mark.parametrize("instant", INSTANTS)
def test_a_scenario_that_is_told_to_end_leaves_nothing(tmp_path: Path, instant: str) -> None:
    scenario = start(tmp_path, "scenario", "run", "u5")
    until(lambda: INSTANTS[instant](tmp_path))
    assert ended(scenario) == 143
    assert of(tmp_path) == []
    assert [path for path in tmp_path.glob("hanse-*") if not path.is_symlink()] == []


def test_starting_operators_that_is_told_to_end_leaves_none_running(tmp_path: Path) -> None:
    handle, networks = claim()
    try:
        Deployment.from_template(tmp_path / "home", networks=networks)
        os.mkfifo(tmp_path / "home" / "authority.pem")  # nobody writes: this operator reads, and is never ready
        with (tmp_path / "home" / "south.toml").open("a") as settings:
            settings.write('\n[callbacks]\nauthorities = ["authority.pem"]\n')
        up = start(tmp_path, "up")
        until(lambda: of(tmp_path))
        assert ended(up) == 143
        assert of(tmp_path) == []
    finally:
        os.close(handle)
