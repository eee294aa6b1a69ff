"""Holds the process of a tunnel end: starts it, tells it its table, starts it anew when it ends, finds those left.

It outlives this process as the rules in the kernel do, so that devices go on until the plane is started anew. It is
found by its command line, which names its namespace and which no crash can lose.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec

from hanse.drivers.dataplane_nftables.gtp.table import Told
from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.kit.problems import Problem

_MODULE = "hanse.drivers.dataplane_nftables.gtp.process"
_CONTROL = "\0hanse-gtp-"
_PATIENCE = 10.0
_PAUSES = (0.05, 0.2, 1.0, 5.0)
_LONG_ENOUGH = 10.0


class Supervisor:
    """Of the tunnel end of one namespace, with addresses to listen at and interfaces to serve."""

    def __init__(self, space: str, addresses: list[str], devices: list[str]) -> None:
        self._space, self._addresses, self._devices = space, addresses, devices
        self._said = Told()
        self._control: socket.socket | None = None
        self._watching: asyncio.Task[None] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it and wait until it works; 500 with its own words if it does not."""
        with inside(self._space):
            self._control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._control.bind(_CONTROL + self._space)  # a name of this namespace only
        self._control.listen(8)
        await asyncio.to_thread(self._spawn)
        await self.tell(Told())
        self._watching = asyncio.create_task(self._watch())

    async def tell(self, said: Told) -> None:
        """Let it know these bearers and tunnels, and no others, from now on."""
        self._said = said
        await self._ask(said)

    async def counts(self) -> dict[str, int]:
        """What it carried and what it did not, since it was started last."""
        return await self._ask(None)

    async def close(self) -> None:
        """End it."""
        if self._watching:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await asyncio.to_thread(self._end)
        if self._control:
            self._control.close()

    def _spawn(self) -> None:
        assert self._control
        number = self._control.fileno()
        words = [self._space, str(number), ",".join(self._addresses), ",".join(self._devices)]
        with inside(self._space):  # it is born there: no moment in which it could be missed
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, *words],
                pass_fds=[number],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )

    async def _watch(self) -> None:
        """Start it anew whenever it ends, after longer and longer pauses if it ends soon."""
        soon = 0
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await self._ended()
            soon = 0 if loop.time() - begun > _LONG_ENOUGH else soon + 1
            await asyncio.sleep(_PAUSES[min(soon, len(_PAUSES) - 1)])
            await asyncio.to_thread(self._spawn)
            with contextlib.suppress(Problem):  # then it has ended again
                await self._ask(self._said)

    async def _ended(self) -> None:
        assert self._process
        process, ended, loop = self._process, asyncio.Event(), asyncio.get_running_loop()
        with contextlib.suppress(ProcessLookupError):  # then it was found to have ended, and was reaped
            number = os.pidfd_open(process.pid)
            loop.add_reader(number, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(number)
                os.close(number)
        _words(process)

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            _words(self._process)

    async def _ask(self, said: Told | None) -> dict[str, int]:
        process = self._process
        with inside(self._space):
            asking = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with asking:
            asking.setblocking(False)
            try:
                async with asyncio.timeout(_PATIENCE):
                    return await self._asked(asking, said)
            except (OSError, TimeoutError):
                ended = process is not None and process.poll() is not None
                words = _words(process) if process and ended else f"no answer in {_PATIENCE:g} s"
                raise Problem(500, "The end of GTP-U tunnels does not work", words) from None

    async def _asked(self, asking: socket.socket, said: Told | None) -> dict[str, int]:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(asking, _CONTROL + self._space)
        await loop.sock_sendall(asking, msgspec.json.encode(said) + b"\n")
        heard = b""
        while not heard.endswith(b"\n"):
            more = await loop.sock_recv(asking, 65536)
            if not more:
                raise ConnectionError("cut off")
            heard += more
        return msgspec.json.decode(heard, type=dict[str, int])


def end_left(space: str) -> None:
    """End the tunnel ends of a namespace, whoever started them; nothing of them is left when this returns."""
    for pid in left(space):
        with contextlib.suppress(ProcessLookupError):
            number = os.pidfd_open(pid)
            try:
                if pid in left(space):  # still that one: its number was not given to another
                    signal.pidfd_send_signal(number, signal.SIGKILL)
                    _gone(number)
            finally:
                os.close(number)


def left(space: str) -> list[int]:
    """Processes whose command line says that they are the tunnel end of a namespace."""
    wanted = [b"-m", _MODULE.encode(), space.encode()]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if (entry / "cmdline").read_bytes().split(b"\0")[1:4] == wanted:
                    found.append(int(entry.name))
    return found


def _gone(number: int) -> None:
    poll = select.poll()
    poll.register(number, select.POLLIN)
    poll.poll(_PATIENCE * 1000)


def _words(process: subprocess.Popen[bytes]) -> str:
    """The last words of a process that ends, which is reaped."""
    said = b""
    with contextlib.suppress(ValueError, subprocess.TimeoutExpired):
        _, said = process.communicate(timeout=_PATIENCE)
    return said.decode(errors="replace").strip().rpartition("\n")[2][:500] or f"it ended with {process.returncode}"
