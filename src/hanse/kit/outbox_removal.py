"""What was told leaves the disk: events delivered about the same time go in one commit (see `hanse.kit.outbox`)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator

from hanse.kit.outbox_lanes import Event
from hanse.kit.problems import Problem
from hanse.kit.store import Shelf, Store, Transaction

log = logging.getLogger("hanse.outbox")

GATHER = 0.005
"""Seconds in which delivered events gather before they are removed."""
CLOSE_PATIENCE = 2.0
"""Seconds that closing waits for the disk; then what was delivered will be delivered again."""


class Removal:
    """Takes events off the disk; ``removed`` is told of the lane of each, which may go on then.

    ``pauses`` are those between attempts, in seconds, where the disk takes nothing.
    """

    def __init__(
        self,
        store: Store,
        events: Shelf[Event],
        pauses: Callable[[], Iterator[float]],
        removed: Callable[[str], None],
    ) -> None:
        self._store = store
        self._events = events
        self._pauses = pauses
        self._removed = removed
        self._delivered: list[Event] = []
        self._along: list[Event] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, event: Event) -> None:
        """The first event of a lane was delivered or given up."""
        self._delivered.append(event)
        if self._task is None:
            self._task = asyncio.create_task(self._remove_all())

    def along(self, events: list[Event]) -> None:
        """Others go with the next one that is added, and no lane for them."""
        self._along += events

    async def close(self) -> None:
        """Wait for the disk, as long as is reasonable."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=CLOSE_PATIENCE)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _remove_all(self) -> None:
        try:
            while self._delivered:
                await asyncio.sleep(GATHER)
                events, self._delivered = self._delivered, []
                along, self._along = self._along, []
                await self._remove(events + along)
                for event in events:
                    self._removed(event.lane)
        finally:
            self._task = None

    async def _remove(self, events: list[Event]) -> None:
        """Forget delivered events; while the disk is full they wait, and are not delivered again."""
        for pause in self._pauses():
            try:
                await self._store.commit(lambda tx: self._forget(tx, events))
                return
            except Problem as problem:
                log.warning("%d events were delivered and cannot be removed: %s", len(events), problem)
            await asyncio.sleep(pause)

    def _forget(self, tx: Transaction, events: list[Event]) -> None:
        for event in events:
            tx.delete(self._events, event.event_id)
