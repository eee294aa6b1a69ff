"""Long walks beside everything else that a process does: each lets others have their turn again and again."""

from __future__ import annotations

import asyncio
import time

LONGEST = 0.005
"""Seconds that a walk keeps the event loop to itself; what is done in one go comes on top."""


class Turns:
    """The turns of one walk, which begins now."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def give(self) -> None:
        """Let others go first if this one has had its turn."""
        if time.perf_counter() - self._since > LONGEST:
            await asyncio.sleep(0)
            self._since = time.perf_counter()
