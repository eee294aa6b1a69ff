"""Processes of an operator: begun, waited for until they are ready, and known again by their own records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hanse.assembly.settings import Settings
from hanse.drivers.compute_process import processes
from hanse.kit.problems import Problem

READY_PATIENCE = 60.0
"""Seconds that a process may take until it is ready."""


@dataclass(frozen=True)
class Running:
    """A process that is ready, by its own record."""

    operator: str
    name: str
    process: processes.Identity

    @property
    def pid(self) -> int:
        """Its process number."""
        return self.process.pid


def spawn(settings: Settings, name: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start one process of an operator without waiting for it; ``environment`` goes beside our own."""
    log = settings.directory / "log" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    record = settings.directory / "run" / f"{name}.json"
    record.unlink(missing_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "hanse.assembly.process", settings.path, name],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )


def await_ready(
    settings: Settings, name: str, process: subprocess.Popen[bytes], stopping: threading.Event | None = None
) -> None:
    """Return when a process is ready: a problem 500 if it ends or takes too long, 503 if ``stopping`` is set."""
    record, stopping = settings.directory / "run" / f"{name}.json", stopping or threading.Event()
    deadline = time.monotonic() + READY_PATIENCE
    while stopping.is_set() or not record.exists():
        if stopping.is_set():
            raise Problem(503, f"{settings.operator.name}: {name} was stopped", "the start was interrupted")
        if process.poll() is not None or time.monotonic() > deadline:
            raise Problem(500, f"{settings.operator.name}: {name} did not start", _last_words(settings, name))
        stopping.wait(0.02)


def running_of(operator: str, settings: Settings) -> Iterator[Running]:
    """The processes of an operator that run now."""
    for record in sorted((settings.directory / "run").glob("*.json")):
        process = _recorded(record)
        if process is not None and processes.alive(process):
            yield Running(operator, record.stem, process)


def _recorded(file: Path) -> processes.Identity | None:
    """The process that a record names; a pid alone could be that of any later process, and is not believed."""
    try:
        found = json.loads(file.read_text())
        return processes.Identity(int(found["pid"]), int(found["started"]), str(found["boot"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _last_words(settings: Settings, name: str) -> str:
    log = settings.directory / "log" / f"{name}.log"
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "it wrote no log"
    return f"{lines[-1] if lines else 'it wrote nothing'} (see {log})"
