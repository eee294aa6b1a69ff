"""Work that goes on beside everything else until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any


class Background:
    """One piece of work at most; whoever began it stops it."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin it; it is an error of ours if it has begun before and was not stopped."""
        if self._task is not None:
            work.close()
            raise RuntimeError("begun twice")
        self._task = asyncio.create_task(work)

    async def stop(self) -> None:
        """Cancel it and wait until it is over; what ended it before is raised here. Nothing if it never began."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
