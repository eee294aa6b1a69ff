"""Silence: one timer for any number of services that must be heard of again and again.

To be heard costs one dictionary entry: the heap is not touched. An entry of the heap that comes up looks whether its
service was heard meanwhile, and if so goes back, so that each service costs one look an interval.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import time
from collections.abc import Awaitable, Callable

LATE = 1.0
"""Seconds by which the timer may come too late: then we did not listen, and all get them, and so much more."""


class SilenceTimer:
    """Calls ``silent`` with all that were not heard within their patience (seconds)."""

    def __init__(
        self, silent: Callable[[list[str]], Awaitable[None]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._silent = silent
        self._clock = clock
        self._until: dict[str, float] = {}
        self._listed: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._sooner = asyncio.Event()

    def hear(self, key: str, patience: float) -> None:
        """Something was heard of ``key``; the next time must be within ``patience`` seconds."""
        until = self._until[key] = self._clock() + patience
        if key not in self._listed or until < self._listed[key]:
            self._list(key, until)

    def forget(self, key: str) -> None:
        """Expect nothing of ``key`` any more."""
        self._until.pop(key, None)

    def expects(self, key: str) -> bool:
        """Whether ``key`` has to be heard of and still is in time."""
        return key in self._until

    def due(self) -> list[str]:
        """Those whose patience is over; each is told once."""
        now, silent = self._clock(), []
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._listed.get(key) != at:
                continue  # listed anew since, for an earlier moment
            del self._listed[key]
            until = self._until.get(key)
            if until is None:
                continue
            if until > now:
                self._list(key, until)
            else:
                del self._until[key]
                silent.append(key)
        return silent

    async def run(self) -> None:
        """Tell who is silent, until cancelled."""
        while True:
            await self._pause()
            silent = self.due()
            if silent:
                await self._silent(silent)

    async def _pause(self) -> None:
        self._sooner.clear()
        planned = self._heap[0][0] if self._heap else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if planned is None else max(0.0, planned - self._clock())):
                await self._sooner.wait()
        late = 0.0 if planned is None else self._clock() - planned
        if late > LATE:
            self._until = {key: until + late + LATE for key, until in self._until.items()}

    def _list(self, key: str, at: float) -> None:
        self._listed[key] = at
        heapq.heappush(self._heap, (at, key))
        if self._heap[0][1] == key:
            self._sooner.set()
