"""Operators' processes that are born with everything imported: starting one again costs a third of the time.

Run as ``python -m tests.faults.nursery`` it reads a line of JSON for each process wanted (`Wish`), forks it and answers
with its pid. What it forks is a process like any other: a session, a log, a directory of its own, killed by signals,
and it runs `hanse.assembly.process` from its first line. The nursery ends when its standard input is closed, and its
children die with it: tests that are broken off leave no operator on addresses that others may be given.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib
import os
import pkgutil
import select
import signal
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import msgspec

_PR_SET_PDEATHSIG = 1
_turn = threading.Lock()


class Wish(msgspec.Struct, frozen=True):
    """``python -m hanse.assembly.process ARGUMENTS``, with its output in ``log``, armed by ``orders``."""

    arguments: tuple[str, ...]
    directory: str
    log: str
    orders: str


class Born:
    """A process of the nursery, with as much of `subprocess.Popen` as the tests use. How it ended is not known."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._descriptor = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended already
            self._descriptor = -1

    def poll(self) -> int | None:
        """``None`` while it lives."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; raises `subprocess.TimeoutExpired`."""
        ended = self._ended(timeout)
        if ended is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return ended

    def kill(self) -> None:
        """SIGKILL; one that has ended is no error."""
        if self._descriptor >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self._descriptor >= 0 and not select.select([self._descriptor], [], [], timeout)[0]:
            return None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        return 0


def born(wish: Wish) -> Born:
    """A new process; the nursery of this process is opened at the first."""
    with _turn:  # of two threads that wish at once one would hear the other's answer
        nursery = _nursery()
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.write(msgspec.json.encode(wish) + b"\n")
        nursery.stdin.flush()
        answer = nursery.stdout.readline()
    assert answer, "the nursery has died; what it said is in the output of the tests"
    return Born(int(answer))


@cache
def _nursery() -> subprocess.Popen[bytes]:
    sources = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nursery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": sources,
            "HANSE_FAILPOINT": "/nowhere/until/born",
        },  # a path: effects are armed
        start_new_session=True,
    )
    atexit.register(_close, process)
    return process


def _close(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def main() -> None:
    """Fork whatever is wished for, until nobody can wish any more."""
    _import_everything()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    for line in sys.stdin.buffer:
        wish = msgspec.json.decode(line, type=Wish)
        pid = os.fork()
        if pid == 0:
            _live(wish)
            return
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _import_everything() -> None:
    """What an operator imports when it starts, those imports that it leaves until then included."""
    import dbos
    import uvloop

    import hanse.assembly.process
    import hanse.kit.procedures.serializer
    from hanse.assembly import builders

    for room in pkgutil.iter_modules(builders.__path__, f"{builders.__name__}."):
        importlib.import_module(room.name)
    assert dbos
    assert uvloop
    assert hanse


def _live(wish: Wish) -> None:
    from hanse.assembly import process
    from hanse.kit import failpoints

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    os.chdir(wish.directory)
    _stand(wish.log)
    vars(failpoints)["_orders"] = Path(wish.orders)
    os.environ["HANSE_FAILPOINT"] = wish.orders
    sys.argv = ["hanse.assembly.process", *wish.arguments]
    process.main()


def _stand(log: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for target, source in enumerate((nothing, output, output)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)


if __name__ == "__main__":
    main()
