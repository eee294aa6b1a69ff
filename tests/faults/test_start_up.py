"""A start that cannot succeed says why in one line, and one that is broken off leaves nothing."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from tests.faults.operators import CONFIGURATION, SOURCES, LoneOperator

STARTS = 1.6
"""Seconds after which a start on an idle machine is over."""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[LoneOperator]:
    """An operator that does not run."""
    lone = LoneOperator(tmp_path)
    try:
        yield lone
    finally:
        lone.clear()


def run(operator: LoneOperator) -> subprocess.CompletedProcess[str]:
    """``hanse run all`` to its end."""
    command = [sys.executable, "-m", "hanse", "run", "all", "--config", operator.settings.path]
    environment = {**os.environ, "PYTHONPATH": SOURCES, "COLUMNS": "400"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)


def endpoint(operator: LoneOperator, which: str) -> tuple[str, int, socket.SocketKind]:
    settings = operator.settings
    host = settings.hosts["harbour"]
    return {
        "OSS": (settings.operator.address, settings.operator.port, socket.SOCK_STREAM),
        "platform": (host.address, host.port, socket.SOCK_STREAM),
        "names over TCP": (host.names.address, host.names.port, socket.SOCK_STREAM),
        "names over UDP": (host.names.address, host.names.port, socket.SOCK_DGRAM),
    }[which]


@pytest.mark.parametrize("which", ["OSS", "platform", "names over TCP", "names over UDP"])
def test_a_port_that_is_taken_is_named_with_its_holder_and_the_fix(idle: LoneOperator, which: str) -> None:
    address, port, kind = endpoint(idle, which)
    with socket.socket(type=kind) as holder:
        if kind is socket.SOCK_STREAM:  # what earlier connections left behind must not be in our way
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((address, port))
        if kind is socket.SOCK_STREAM:
            holder.listen()
        ended = run(idle)
    assert ended.returncode == 1
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said
    assert str(port) in said
    assert address in said
    assert f"pid {os.getpid()}" in said
    assert "stop it" in said
    assert nothing_left(idle)


async def test_an_operator_that_is_started_twice_runs_on_and_is_still_known(idle: LoneOperator) -> None:
    await idle.start()
    known = list(idle.deployment.running())
    assert [running.pid for running in known] == [idle.process.pid]
    ended = await asyncio.to_thread(run, idle)
    assert ended.returncode == 1
    assert f"pid {idle.process.pid}" in ended.stdout + ended.stderr
    assert list(idle.deployment.running()) == known
    async with administration(idle.settings) as oss:
        assert (await oss.overview.overview()).system.hosts[0].reachable
    assert await asyncio.to_thread(idle.deployment.stop) == 1
    assert nothing_left(idle)


@pytest.mark.parametrize("seed", range(6))
def test_sigterm_in_the_middle_of_a_start_leaves_nothing(idle: LoneOperator, seed: int) -> None:
    idle.begin()
    with pytest.raises(subprocess.TimeoutExpired):
        idle.process.wait(random.Random(seed).uniform(0.1, STARTS))
    os.kill(idle.process.pid, signal.SIGTERM)
    assert idle.process.wait(60) in (0, -signal.SIGTERM)  # before Python hears signals, the default is to end
    log = (idle.settings.directory / "log" / "all.log").read_text()
    assert "Traceback" not in log, log
    assert nothing_left(idle)


async def test_after_a_start_broken_off_the_next_one_succeeds(idle: LoneOperator) -> None:
    idle.begin()
    await asyncio.sleep(STARTS / 2)
    os.kill(idle.process.pid, signal.SIGTERM)
    idle.process.wait(60)
    await idle.start()
    async with administration(idle.settings) as oss:
        assert (await oss.overview.overview()).system.hosts[0].reachable


def test_settings_that_nobody_can_mean_are_refused_by_name(tmp_path: Path) -> None:
    wrong = tmp_path / "north.toml"
    wrong.write_text(CONFIGURATION.replace('memory = "4 GiB"', "ready_patience = 0"))
    command = [sys.executable, "-m", "hanse", "run", "all", "--config", str(wrong)]
    environment = {**os.environ, "PYTHONPATH": SOURCES, "COLUMNS": "400"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 1
    assert "hosts.harbour.ready_patience" in ended.stderr
    assert "Traceback" not in ended.stderr


def nothing_left(operator: LoneOperator) -> bool:
    """No process of it, no record that it runs, every address free."""
    assert list(operator.deployment.running()) == []
    assert not list((operator.settings.directory / "run").glob("*"))
    for which in ("OSS", "platform", "names over TCP", "names over UDP"):
        address, port, kind = endpoint(operator, which)
        with socket.socket(type=kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    return True
