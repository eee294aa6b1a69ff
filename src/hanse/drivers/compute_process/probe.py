"""Finding out by trying what this machine can do for a process: run as a program, it prints what held and what not.

Standard library only. Each trial runs in a child of its own and says nothing when it holds, else its reason.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
import time
from collections.abc import Callable

from hanse.drivers.compute_process.app import adopt_orphans
from hanse.drivers.compute_process.share import clock_of

_MEBIBYTE = 1 << 20
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def memory() -> None:
    """A process cannot take more memory than its bound."""
    bound = 512 * _MEBIBYTE
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    try:
        bytearray(bound)
    except MemoryError:
        return
    raise OSError("a process got more memory than RLIMIT_AS allows")


def open_files() -> None:
    """A process cannot open more files than its bound."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    try:
        opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
    except OSError:
        return
    raise OSError(f"a process opened {len(opened)} files more than RLIMIT_NOFILE allows")


def descriptors() -> None:
    """The kernel tells when a process ends (pidfd_open(2))."""
    os.close(os.pidfd_open(os.getpid()))


def cpu() -> None:
    """The processor time of another process can be read, so its share can be held."""
    time.clock_gettime(clock_of(os.getppid()))


def namespaces() -> None:
    """A process without privileges can have a user and a network namespace of its own (unshare(2))."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


TRIALS: dict[str, Callable[[], None]] = {
    "memory": memory,
    "open_files": open_files,
    "cpu": cpu,
    "orphans": adopt_orphans,
    "descriptors": descriptors,
    "namespaces": namespaces,
}


def attempt(trial: Callable[[], None]) -> str:
    """Try in a child; returns the reason why it does not hold, or nothing."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            trial()
        except BaseException as error:  # any failure is an answer, and the child must not return from here
            os.write(writes, str(error).encode() or b"failed")
        os._exit(0)
    os.close(writes)
    with open(reads, "rb") as file:
        reason = file.read().decode()
    _, status = os.waitpid(pid, 0)
    return reason or ("" if status == 0 else f"the trial ended with status {status}")


if __name__ == "__main__":
    json.dump({name: attempt(trial) for name, trial in TRIALS.items()}, sys.stdout)
