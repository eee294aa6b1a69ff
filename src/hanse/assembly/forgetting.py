"""Forgetting: what has ended, and nobody needs any more, leaves the disk of an operator that runs for months."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from hanse.assembly.log_file import LogFile
from hanse.kit.background import Background
from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem

log = logging.getLogger("hanse.forgetting")

LOOK = 5.0
"""Seconds between two looks at the log file."""
ROUND = 3600.0
"""Seconds between two rounds of forgetting; the first begins with the process, which may not live so long."""

Forget = Callable[[float], Awaitable[int]]
"""Forgets what had ended before a moment (Unix seconds); how much that was."""


class Forgetting:
    """Goes round once an hour, and keeps the log file from filling the disk.

    Whoever keeps something knows what may go: nothing that has not ended, or that somebody waits for.
    """

    def __init__(self, log_file: LogFile) -> None:
        self._log = log_file
        self._kinds: list[tuple[float, Forget]] = []
        self._background = Background()

    def add(self, kept: float, forget: Forget) -> None:
        """Somebody who keeps what has ended for so many seconds."""
        self._kinds.append((kept, forget))

    async def start_up(self) -> None:
        """Begin to go round."""
        self._background.start(self._run())

    async def shut_down(self) -> None:
        """Stop."""
        await self._background.stop()

    async def go_round(self, now: float) -> int:
        """Forget what is old enough at ``now`` (Unix seconds); how much. What fails is tried again the next time."""
        return sum([await _tried(forget, now - kept) for kept, forget in self._kinds])

    async def _run(self) -> None:
        due = time.monotonic()
        while True:
            await self._turn_over()
            if time.monotonic() >= due:
                await self.go_round(time.time())
                due = time.monotonic() + ROUND
            await asyncio.sleep(LOOK)

    async def _turn_over(self) -> None:
        try:
            await asyncio.to_thread(self._log.turn_over)
        except OSError as error:
            log.warning("the log file cannot be turned over: %s", error)


@effect("retention.forget")
async def _tried(forget: Forget, before: float) -> int:
    try:
        return await forget(before)
    except Problem as problem:
        log.warning("what has ended is not forgotten yet: %s", problem)
    except Exception:
        log.exception("forgetting what has ended failed")
    return 0
