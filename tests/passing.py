"""Time that passes when a test says so: whether a patience is over is then no matter of the machine."""

from __future__ import annotations

import asyncio
import time


class Passing:
    """The clock of the running event loop, which a test may advance; by itself it goes as any other."""

    def __init__(self) -> None:
        self._advanced = 0.0
        asyncio.get_running_loop().time = self._time  # type: ignore[method-assign]

    def _time(self) -> float:
        return time.monotonic() + self._advanced

    async def advance(self, seconds: float) -> None:
        """Let so many seconds pass at once, and what was due in them happen."""
        self._advanced += seconds
        for _ in range(3):  # the loop collects what is due, and calls it in its next round
            await asyncio.sleep(0)
