"""What a supervisor leaves on disk of a run: who runs, how it ended. Standard library only.

Every file is replaced as a whole, so that a reader sees the old one or the new one. The exit is written into a file
that was reserved before the start: a disk that is full by then cannot swallow it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from hanse.drivers.compute_process.processes import Identity

SPEC, LOCK, RUN, EXIT, OUTPUT, WORK = "spec.json", "lock", "supervisor.json", "exit.json", "output.log", "work"
_RESERVE, _RESERVED = "exit.reserved", 512


class Run(NamedTuple):
    """A run of a workload: the process that watches it and the process that it is."""

    supervisor: Identity
    app: Identity


def write(path: str, content: bytes, mode: int = 0o600) -> None:
    """Replace a file as a whole and see it on the disk; raises OSError and leaves nothing half done."""
    draft = f"{path}.{os.getpid()}.draft"
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        forget(draft)
        raise


def read(path: str) -> Any:
    """The JSON value of a file, ``None`` if there is no such file or, after a power cut, nothing sensible in it."""
    try:
        with open(path, "rb") as file:
            return json.loads(file.read())
    except (FileNotFoundError, ValueError):
        return None


def forget(path: str) -> None:
    """Remove a file; one that is not there is no error."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def begin(folder: str) -> None:
    """Forget the last run, and reserve the place for the exit of the next."""
    write(os.path.join(folder, _RESERVE), b" " * _RESERVED)
    # First the run, then its exit: a run without an exit would look as if its supervisor had been killed.
    forget(os.path.join(folder, RUN))
    forget(os.path.join(folder, EXIT))


def write_run(folder: str, run: Run) -> None:
    """Say who runs."""
    write(os.path.join(folder, RUN), json.dumps({"supervisor": run.supervisor, "app": run.app}).encode())


def read_run(folder: str) -> Run | None:
    """Who runs, or ran last."""
    found = read(os.path.join(folder, RUN))
    return Run(Identity(*found["supervisor"]), Identity(*found["app"])) if found else None


def write_exit(folder: str, wait_status: int, reason: str = "") -> None:
    """Record how a run ended, from the status of waitpid(2), and why if it was ended from here: a few words."""
    code = os.waitstatus_to_exitcode(wait_status)
    ending = {"exitCode": code} if code >= 0 else {"signal": -code}
    told = {"reason": reason} if reason else {}
    content = json.dumps({**ending, "at": time.time(), **told}).encode().ljust(_RESERVED)
    reserved = os.path.join(folder, _RESERVE)
    with open(os.open(reserved, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(reserved, os.path.join(folder, EXIT))


@contextlib.contextmanager
def locked(folder: str) -> Iterator[bool]:
    """Try for the lock of an instance: ``True`` while it is ours, ``False`` if another has it (or it is gone)."""
    try:
        descriptor = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _take(descriptor, os.path.join(folder, LOCK))
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: str) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between open and flock the instance may have been deleted, and even made anew: then this lock means nothing.
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except (BlockingIOError, FileNotFoundError):
        return False
