"""Exits that wait to be reported: each is remembered as told only after its reader came back for the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from hanse.refpoints.mm7 import WorkloadEvent


class Bulletin:
    """A queue of events for one reader at a time; ``told`` is called when an event has been dealt with."""

    def __init__(self, told: Callable[[WorkloadEvent], None]) -> None:
        self._told = told
        self._waiting: deque[WorkloadEvent] = deque()
        self._news = asyncio.Event()
        self._closed = False

    def post(self, event: WorkloadEvent) -> None:
        """Put an event up; one that waits already is not put up twice."""
        if event not in self._waiting:
            self._waiting.append(event)
            self._news.set()

    def withdraw(self, instance_id: str) -> None:
        """Forget the events of an instance that is deleted."""
        self._waiting = deque(event for event in self._waiting if event.instance_id != instance_id)

    def close(self) -> None:
        """End the readers; what they have not dealt with will be found again on disk."""
        self._closed = True
        self._news.set()

    async def read(self) -> AsyncIterator[WorkloadEvent]:
        """The events, waiting for more, until it is closed. A reader that fails on an event will get it again."""
        while not self._closed:
            if not self._waiting:
                self._news.clear()
                await self._news.wait()
                continue
            event = self._waiting[0]
            yield event
            if event in self._waiting:
                self._waiting.remove(event)
                await asyncio.to_thread(self._told, event)
