"""Who a process is: a pid alone is reused, a pid with its start time and the boot of the kernel is not.

Standard library only: supervisors import it too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from typing import NamedTuple

_PATIENCE, _PAUSE = 1.0, 0.002
"""Seconds of a look that go to processes which show no environment, and between two looks at one of them."""


class Stat(NamedTuple):
    """A part of ``/proc/<pid>/stat``; ``started`` in clock ticks since boot (proc(5))."""

    pid: int
    state: str
    parent: int
    session: int
    started: int

    @property
    def lives(self) -> bool:
        """A zombie keeps its pid and its start time, and is dead all the same."""
        return self.state not in "ZX"


class Identity(NamedTuple):
    """A process that cannot be mistaken for a later one with the same pid."""

    pid: int
    started: int
    boot: str


def stat(pid: int) -> Stat | None:
    """The process of this pid, or ``None`` if there is none."""
    fields = _fields(pid)
    return None if fields is None else Stat(pid, fields[0].decode(), int(fields[1]), int(fields[3]), int(fields[19]))


def _fields(pid: int) -> list[bytes] | None:
    """What ``/proc/<pid>/stat`` says from the state on: its field 3 is number 0 here (proc(5))."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            line = file.read()
    except OSError:
        return None
    # The command name stands in parentheses and may contain anything, parentheses and spaces too.
    return line[line.rindex(b")") + 2 :].split()


def boot() -> str:
    """The identifier of this boot of the kernel; start times of different boots do not compare."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def identify(pid: int) -> Identity:
    """The identity of a process that exists; a child that has just died counts with start time 0."""
    found = stat(pid)
    return Identity(pid, found.started if found else 0, boot())


def alive(identity: Identity) -> bool:
    """Whether that very process still runs: neither gone, nor a zombie, nor another one with its pid."""
    found = stat(identity.pid)
    return found is not None and found.lives and found.started == identity.started and boot() == identity.boot


def every_process() -> Iterator[Stat]:
    """All processes of this machine that can be seen and live."""
    for name in os.listdir("/proc"):
        found = stat(int(name)) if name.isdigit() else None
        if found is not None and found.lives:
            yield found


def children(parent: int) -> list[int]:
    """The pids of the living children of a process."""
    return [process.pid for process in every_process() if process.parent == parent]


def patience() -> float:
    """Until when a look at processes, beginning now, may wait for those that show no environment."""
    return time.monotonic() + _PATIENCE


def remains(leader: Identity, home: str, until: float | None = None) -> list[int]:
    """What is left of a workload whose supervisor is gone: its session, and whoever still has its home.

    A daemon leaves the session and keeps the environment. Nothing of an earlier boot is left, and what began before
    the leader is not of it. This may block until ``until`` (`patience`), of one look for many workloads the same.
    """
    if leader.boot != boot():
        return []
    recycled = stat(leader.pid)
    until = patience() if until is None else until
    session = leader.pid if recycled is None or recycled.started == leader.started else -1
    return [
        process.pid
        for process in every_process()
        if process.started >= leader.started and (process.session == session or _home(process.pid, until) == home)
    ]


def _home(pid: int, until: float) -> str:
    pairs = _environment(pid, until).split(b"\0")
    return next((os.fsdecode(pair[5:]) for pair in pairs if pair.startswith(b"HOME=")), "")


def _environment(pid: int, until: float) -> bytes:
    """Of a process that just begins a program, the kernel shows none for some milliseconds: they are waited for.

    One that has thrown away the pages of its own never shows any.
    """
    while True:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                found = file.read()
        except OSError:
            return b""
        if found or not _has_environment(pid) or time.monotonic() >= until:
            return found
        time.sleep(_PAUSE)


def _has_environment(pid: int) -> bool:
    """Whether it has one by now or is to have one: ``arg_start`` is known before ``env_start``, ``env_end`` (proc(5)).

    What belongs to the kernel, or has ended, has no arguments.
    """
    fields = _fields(pid)
    if fields is None:
        return False
    arguments, starts, ends = (int(fields[n]) for n in (45, 47, 48))
    return arguments > 0 and (ends == 0 or ends > starts)


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal; a process (or, negative, a group) that is gone is no error, nor is one that is not ours."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def notify(identity: Identity, number: int) -> bool:
    """Send a signal to that very process; ``False`` if it is gone.

    Where the kernel has process descriptors, a pid that is reused in between cannot be hit.
    """
    descriptor = descriptor_of(identity)
    if descriptor is None:
        if alive(identity):
            kill(identity.pid, number)
        return alive(identity)
    try:
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def descriptor_of(identity: Identity) -> int | None:
    """A process descriptor (pidfd_open(2)), readable once it ended; ``None`` if it is gone or the kernel has none."""
    try:
        descriptor = os.pidfd_open(identity.pid)
    except (OSError, AttributeError):
        return None
    # The descriptor holds on to whoever has the pid now, so the start time is checked after opening it.
    if alive(identity):
        return descriptor
    os.close(descriptor)
    return None
