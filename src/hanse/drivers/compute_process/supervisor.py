"""The supervisor of one workload: ``python -m hanse.drivers.compute_process.supervisor INSTANCE_DIRECTORY``.

It outlives the VIM that started it. It takes the lock of the instance before anything runs, owns the workload's
output, adopts its orphans, records its exit and ends. SIGTERM is passed on to the workload, SIGUSR1 ends it at once.
On its standard output it says one line, ``{"state": …, "detail": …, "errno": …}``: ``running``, ``taken`` (another
supervisor has the lock, or the instance is gone), ``refused`` (the workload's program could not be executed),
``full`` (its volume is beyond its quota) or ``failed`` (the supervisor itself met an error). Standard library only, to
start fast.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time

from hanse.drivers.compute_process import record
from hanse.drivers.compute_process.app import App, adopt_orphans
from hanse.drivers.compute_process.processes import children, identify, kill
from hanse.drivers.compute_process.share import Share
from hanse.drivers.compute_process.tail import Tail
from hanse.drivers.compute_process.volume import Quota

_HEARD = (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1)
_UNHEARD = (signal.SIGHUP, signal.SIGINT)
_CHUNK = 1 << 16
_ROUND = 0.005


class Supervisor:
    """Watches one running workload until it and all that descends from it have ended."""

    def __init__(self, app: App, tail: Tail, share: Share, signals: int) -> None:
        self._app, self._tail, self._share, self._signals = app, tail, share, signals
        self.reason = ""

    def watch(self) -> int:
        """Wait for the end of the workload; returns its status as of waitpid(2)."""
        poll = select.poll()
        poll.register(self._signals, select.POLLIN)
        poll.register(self._app.output, select.POLLIN)
        status = None
        while status is None:
            for descriptor, _ in poll.poll(self._share.pace()):
                if descriptor == self._signals:
                    status = self._hear()
                elif not self._listen():
                    poll.unregister(descriptor)  # it closed its output and lives on
        return status

    def _hear(self) -> int | None:
        for number in os.read(self._signals, 64):
            if number == signal.SIGTERM:
                kill(-self._app.pid, signal.SIGTERM)
                self._share.forgive()
            elif number == signal.SIGUSR1:
                kill(-self._app.pid)
        return _reap(self._app.pid)

    def _listen(self) -> bool:
        chunk = os.read(self._app.output, _CHUNK)
        self._tail.write(chunk)
        return bool(chunk)

    def end_because(self, reason: str) -> None:
        """End the workload at once; from any thread."""
        self.reason = reason
        os.kill(os.getpid(), signal.SIGUSR1)

    def end_all(self) -> None:
        """Kill the rest of the group and every descendant, daemons too: all of them are, or become, our children."""
        while _ended() is not None:
            for child in children(os.getpid()):
                kill(child)
            _reap(0)
            time.sleep(_ROUND)

    def drain(self) -> None:
        """Take in the last words: nobody can write any more, so this ends."""
        while self._listen():
            pass


def _reap(wanted: int) -> int | None:
    """Reap whoever has ended; returns the status of the wanted one if it was among them."""
    status = None
    while pid := _ended():
        if pid == wanted:
            # Until it is reaped its number is its own, so this cannot hit a group of somebody else.
            kill(-wanted)
        _, ended = os.waitpid(pid, 0)
        status = ended if pid == wanted else status
    return status


def _ended() -> int | None:
    """A child that has ended, not reaped yet; 0 if all live, ``None`` if there are no children."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found else 0


def _let_go() -> None:
    """Close what was inherited: a socket that the VIM listens on must not stay open after it."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _hear_signals() -> int:
    """From now on signals arrive as bytes on this descriptor, one by one with the output."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    for number in _HEARD:
        signal.signal(number, lambda *_: None)
    for number in _UNHEARD:
        signal.signal(number, signal.SIG_IGN)
    return reads


def _answer(state: str, detail: str = "", number: int | None = None) -> None:
    """Tell the VIM, if it still lives, and let go of it."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps({"state": state, "detail": detail, "errno": number or 0}).encode() + b"\n")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.close(nothing)


def _supervise(folder: str) -> None:
    run = record.read(os.path.join(folder, record.SPEC))["run"]
    quota = Quota(run.get("volume"))  # laid out by an earlier release, it has none
    if excess := quota.excess():
        return _answer("full", excess)
    signals = _hear_signals()
    adopt_orphans()
    record.begin(folder)
    app = App(run, os.path.join(folder, record.WORK))
    record.write_run(folder, record.Run(identify(os.getpid()), identify(app.pid)))
    failure = app.release()
    if failure:
        record.forget(os.path.join(folder, record.RUN))
        return _answer("refused", failure)
    _answer("running")
    tail = Tail(os.path.join(folder, record.OUTPUT), run["output"])
    supervisor = Supervisor(app, tail, Share(app.pid, run["cpuMilli"]), signals)
    quota.watch(supervisor.end_because)
    status = supervisor.watch()
    supervisor.end_all()
    supervisor.drain()
    return record.write_exit(folder, status, supervisor.reason)


def main(folder: str) -> None:
    """Run the workload of an instance directory to its end, unless somebody already does."""
    _let_go()
    with record.locked(folder) as ours:
        if not ours:
            return _answer("taken")
        try:
            return _supervise(folder)
        except OSError as error:
            return _answer("failed", error.strerror or str(error), error.errno)


if __name__ == "__main__":
    main(sys.argv[1])
