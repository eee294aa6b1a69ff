"""From a workload to what its supervisor executes: resolved command, whole environment, bounds."""

from __future__ import annotations

import sys
from pathlib import Path

from hanse.drivers.compute_process.names import inner_path
from hanse.kit.problems import bad_request
from hanse.kit.values import ABSENT, Absent, Value
from hanse.refpoints.mm7 import Image, Volume, Workload

PATH = "/usr/local/bin:/usr/bin:/bin"
INTERPRETER = getattr(sys, "_base_executable", None) or sys.executable
"""The Python that runs Hanse, without its virtual environment: apps bring their own libraries."""


class Run(Value):
    """What a supervisor executes: `Limits`, memory of each process; 0 for no bound, and for no output kept."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    memory: int
    open_files: int
    output: int
    cpu_milli: int
    largest_file: int = 0
    volume: Volume | Absent = ABSENT


class Spec(Value):
    """The content of ``spec.json``: what was asked for, and what will be executed for it."""

    workload: Workload
    run: Run


def plan(workload: Workload, image: Image, home: Path) -> Spec:
    """Resolve a workload against its image; 400 for what no process can be given."""
    _check(workload)
    limits = workload.limits
    return Spec(
        workload=workload,
        run=Run(
            argv=tuple(
                _resolve(word, workload, Path(image.path), first=n == 0) for n, word in enumerate(workload.command)
            ),
            environment=_environment(workload, home),
            memory=limits.memory,
            open_files=limits.open_files,
            output=limits.output,
            cpu_milli=limits.cpu_milli,
            largest_file=limits.largest_file,
            volume=workload.volume,
        ),
    )


def _environment(workload: Workload, home: Path) -> dict[str, str]:
    given = {"PATH": PATH, "HOME": str(home), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    return given | workload.environment


def _resolve(word: str, workload: Workload, image: Path, first: bool) -> str:
    """A word that names a file of the image becomes its absolute path; the workload's own files keep their names."""
    if first and word in ("python3", "python"):
        return INTERPRETER
    candidate = image / word
    if word in workload.files or Path(word).is_absolute() or ".." in Path(word).parts or not candidate.is_file():
        return word
    return str(candidate)


def _check(workload: Workload) -> None:
    if not workload.command or not workload.command[0]:
        raise bad_request("command", "give the program and its arguments; got nothing to execute")
    if any("\0" in word for word in workload.command):
        raise bad_request("command", "a word of a command cannot hold a zero byte")
    for name, value in workload.environment.items():
        if not name or "=" in name or "\0" in name + value:
            raise bad_request(
                f"environment: {name!r}", "a name is not empty and has no '=', and neither has a zero byte"
            )
    for path in workload.files:
        inner_path(path)
    if workload.volume and not Path(workload.volume.path).is_absolute():
        raise bad_request("volume.path", f"give the whole path of a directory; got {workload.volume.path!r}")
    limits = workload.limits
    if min(limits.memory, limits.open_files, limits.output, limits.cpu_milli, limits.largest_file) < 0:
        raise bad_request("limits", "a bound is 0 or more")
