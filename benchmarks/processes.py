"""Processes under measurement: started, watched for their CPU time, and ended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hanse.kit.problems import Problem

TICK = 1.0 / os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parents[1]


def cpu_seconds(pid: int, *, children: bool = False) -> float:
    """User and system time of a process so far; with that of the children that it has waited for, if asked.

    In steps of 10 ms: measure spans of seconds. 0 for a process that is gone.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in fields[11 : 15 if children else 13]) * TICK


def cpu_of(pids: Iterable[int]) -> float:
    """The same for several processes and what they have waited for."""
    return sum(cpu_seconds(pid, children=True) for pid in pids)


def below(directory: Path) -> list[int]:
    """Processes that work in a directory or name it in their command."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            named = str(directory).encode() in (entry / "cmdline").read_bytes()
            if named or (entry / "cwd").readlink().is_relative_to(directory):
                found.append(int(entry.name))
        except (OSError, ValueError):
            continue
    return found


def environment() -> dict[str, str]:
    """That of a child which imports ``benchmarks``."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)}


def program(module: str) -> list[str]:
    """The command that runs a module of ours."""
    return [sys.executable, "-m", module]


@contextmanager
def serving(module: str, plan: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process of its own: gets its plan as one line, says a line once it listens, ends with its input."""
    process = subprocess.Popen(
        program(module), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(plan + b"\n")
        process.stdin.flush()
        if not process.stdout.readline():
            raise Problem(500, f"{module} did not start", "what it said of the reason is above")
        yield process
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def loaded(module: str, plan: bytes, pid: int, ready: Callable[[], None] = lambda: None) -> tuple[float, bytes]:
    """Let a generator connect, begin and end; the CPU time of process ``pid`` between the two, and its answer.

    ``ready`` is called in between, once it is connected.
    """
    with serving(module, plan) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ready()
        before = cpu_seconds(pid)
        process.stdin.write(b"begin\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        used = cpu_seconds(pid) - before
    if not answer:
        raise Problem(500, f"{module} failed", "what it said of the reason is above")
    return used, answer
