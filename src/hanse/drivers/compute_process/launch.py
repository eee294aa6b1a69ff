"""Starting a supervisor and hearing what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import msgspec

import hanse
from hanse.drivers.compute_process.instances import Instance
from hanse.drivers.compute_process.plan import INTERPRETER
from hanse.drivers.compute_process.troubles import translated
from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem

_LOG = "supervisor.log"
_PATIENCE = 30.0
_LINE = 1 << 16
SOURCES = str(Path(hanse.__file__).parent.parent)
PYTHON = (INTERPRETER, "-P", "-S", "-s", "-m")
"""The interpreter, ready for a module that needs the standard library only; ``PYTHONPATH`` must be `SOURCES`."""
SUPERVISOR = "hanse.drivers.compute_process.supervisor"
"""The module of a supervisor; its one argument is the directory of the instance."""


class Answer(msgspec.Struct, frozen=True):
    """What a supervisor says of its start: ``running``, ``taken``, or with the reason ``refused``,
    ``full`` or ``failed``."""

    state: str
    detail: str = ""
    errno: int = 0


@effect("compute.spawn")
def spawn(folder: Path, answers: int) -> int:
    """Start a supervisor in a session of its own, its standard output on ``answers``; returns its pid. Raises OSError.

    Not a `subprocess`: asyncio kills its subprocesses when it lets go of them, and this one is to stay.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, answers, 1),
        (os.POSIX_SPAWN_OPEN, 2, str(folder / _LOG), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    ]
    return os.posix_spawn(
        INTERPRETER,
        [*PYTHON, SUPERVISOR, str(folder)],
        {"PYTHONPATH": SOURCES},
        file_actions=actions,
        setsid=True,
        setsigmask=(),
        setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
    )


async def launch(instance: Instance) -> Answer:
    """Start a supervisor for an instance and wait for its answer; the lock decides whether it may run anything."""
    reads, writes = os.pipe()
    try:
        with translated(f"the start of {instance}"):
            pid = await asyncio.to_thread(spawn, instance.path, writes)
    except BaseException:
        os.close(reads)
        raise
    finally:
        os.close(writes)
    return await _understand(instance, pid, await _first_line(reads))


async def _first_line(descriptor: int) -> bytes:
    """The first line, or what came of it until the other end was closed or patience ended; closes the descriptor.

    Not ``connect_read_pipe``: uvloop closes such a pipe twice, and between the two another thread may have been given
    its number for a file of its own, the store's for one.
    """
    loop, line, whole = asyncio.get_running_loop(), bytearray(), asyncio.Event()
    os.set_blocking(descriptor, False)

    def read() -> None:
        chunk = os.read(descriptor, _LINE)
        line.extend(chunk)
        if not chunk or b"\n" in chunk:
            loop.remove_reader(descriptor)
            whole.set()

    loop.add_reader(descriptor, read)
    try:
        await asyncio.wait_for(whole.wait(), _PATIENCE)
    except TimeoutError:
        return b""
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return bytes(line)


async def _understand(instance: Instance, pid: int, line: bytes) -> Answer:
    if not line:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    answer = msgspec.json.decode(line, type=Answer) if line else None
    if answer is None or answer.state != "running":
        await asyncio.to_thread(reap, pid, wait=True)
    if answer is None:
        raise Problem(500, f"The supervisor of {instance} failed", await asyncio.to_thread(_last_words, instance.path))
    return answer


def reap(pid: int, wait: bool = False) -> None:
    """Reap a supervisor, if it is a child of this process; one of an earlier VIM is not."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0 if wait else os.WNOHANG)


def _last_words(folder: Path) -> str:
    try:
        words = (folder / _LOG).read_text(errors="replace").strip().splitlines()
    except OSError:
        words = []
    return words[-1] if words else f"it ended without a word; see {folder / _LOG}"
