"""Noticing that a process has ended: by the kernel where it has process descriptors, otherwise by looking."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from hanse.drivers.compute_process.processes import Identity, alive, descriptor_of

_LOOK_EVERY = 0.1


class Watch:
    """Calls ``ended`` once, on the event loop, when a process has ended; `close` ends the watch without a call."""

    def __init__(self, process: Identity, ended: Callable[[], None], by_kernel: bool = True) -> None:
        self._process, self._ended = process, ended
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._descriptor = descriptor_of(process) if by_kernel else None
        self._timer: asyncio.Handle | None = None
        if self._descriptor is not None:
            self._loop.add_reader(self._descriptor, self._end)
        else:
            self._timer = self._loop.call_soon(self._look)

    async def wait(self, seconds: float) -> bool:
        """Wait until the process has ended, at most so long; whether it has."""
        try:
            await asyncio.wait_for(self._over.wait(), max(seconds, 0))
        except TimeoutError:
            return False
        return True

    def _look(self) -> None:
        if alive(self._process):
            self._timer = self._loop.call_later(_LOOK_EVERY, self._look)
        else:
            self._end()

    def _end(self) -> None:
        self.close()
        self._over.set()
        self._ended()

    def close(self) -> None:
        """Look no longer."""
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
