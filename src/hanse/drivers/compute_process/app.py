"""The first moments of a workload's process: bound it, tie its life to its supervisor, execute it.

Standard library only. The new process waits before it executes anything until its supervisor has written down who it
is, so there is never a running workload that nobody knows.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from typing import Any, NoReturn

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def adopt_orphans() -> None:
    """Descendants that lose their parent become children of this process, so that none can slip away (prctl(2))."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}): {os.strerror(ctypes.get_errno())}")


class App:
    """The process of a workload. ``output`` is the reading end of its standard output and error together."""

    def __init__(self, run: dict[str, Any], work: str) -> None:
        self.output, writes = os.pipe()
        waits, self._go = os.pipe()
        self._failure, fails = os.pipe()
        supervisor = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _become(run, work, supervisor, writes, waits, fails)
        for descriptor in (writes, waits, fails):
            os.close(descriptor)

    def release(self) -> str:
        """Let it execute; says why it could not, or nothing once it has."""
        os.write(self._go, b"!")
        os.close(self._go)
        with open(self._failure, "rb") as file:
            return file.read().decode()


def _become(run: dict[str, Any], work: str, supervisor: int, writes: int, waits: int, fails: int) -> NoReturn:
    """The rest of a child's life as Python: it ends in the workload's program or in a reason why not."""
    try:
        os.setsid()
        _die_with(supervisor)
        _reset_signals()
        _stand(work, writes)
        if os.read(waits, 1):
            _bound(run)
            os.execvpe(run["argv"][0], run["argv"], run["environment"])
    except BaseException as error:  # whatever it is, this copy of the supervisor must not go on as a second one
        os.write(fails, (str(error) or repr(error)).encode())
    os._exit(127)


def _die_with(supervisor: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(127)  # it died before the bond was made


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is not signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)


def _stand(work: str, writes: int) -> None:
    os.chdir(work)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate((nothing, writes, writes)):
        os.dup2(source, target)


def _bound(run: dict[str, Any]) -> None:
    """Bounds hold for each process by itself; the output is bounded by the supervisor. 0 means no bound."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bounds = (
        (resource.RLIMIT_AS, run["memory"]),
        (resource.RLIMIT_NOFILE, run["openFiles"]),
        (resource.RLIMIT_FSIZE, run.get("largestFile", 0)),  # laid out by an earlier release, it has none
    )
    for limit, value in bounds:
        if value:
            resource.setrlimit(limit, (value, value))
