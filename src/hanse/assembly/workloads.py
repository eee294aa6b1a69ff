"""What runs of an operator's workloads: found by what the process driver recorded of each, never by a likeness."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from hanse.assembly.catalogue import elements
from hanse.assembly.settings import Settings
from hanse.drivers.compute_process import record
from hanse.drivers.compute_process.launch import SUPERVISOR
from hanse.drivers.compute_process.processes import Stat, alive, every_process, kill, patience, remains

_ROUNDS, _ROUND = 20, 0.1


def workload_processes(settings: Settings) -> list[int]:
    """Processes on this machine that belong to workloads of an operator: supervisors, apps and what these began."""
    living, until = list(every_process()), patience()
    found: dict[int, None] = {}
    for folder in _instances(settings):
        run = record.read_run(str(folder))
        if run is None:  # a supervisor that has just been started has not said yet who it is
            supervisors = [process.pid for process in living if _supervises(process.pid, folder)]
        else:
            supervisors = [run.supervisor.pid] if alive(run.supervisor) else []
            found |= dict.fromkeys(remains(run.app, str(folder / record.WORK), until))
        found |= dict.fromkeys(pid for supervisor in supervisors for pid in _family(supervisor, living))
    return list(found)


def end_workloads(settings: Settings) -> None:
    """Kill what is left of an operator's workloads once its processes have stopped."""
    for _ in range(_ROUNDS):
        left = workload_processes(settings)
        for pid in left:
            kill(pid)
        if not left:
            return
        time.sleep(_ROUND)


def _instances(settings: Settings) -> Iterator[Path]:
    """The directories in which the hosts of an operator keep their instances."""
    for name in elements(settings):
        if name.startswith("vim."):
            yield from sorted((settings.directory.absolute() / name / "compute" / "instances").glob("[!.]*"))


def _supervises(pid: int, folder: Path) -> bool:
    """Whether a process is the supervisor of this instance, by its whole command and not by a part of it."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return words[-3:] == [SUPERVISOR.encode(), str(folder).encode(), b""]


def _family(pid: int, living: list[Stat]) -> list[int]:
    """A supervisor and all that descends from it: it adopts every orphan, so nothing of the workload is elsewhere."""
    family = [pid]
    for parent in family:
        family += [process.pid for process in living if process.parent == parent]
    return family
