"""The outbox: events that are committed with the change they tell of, and delivered at least once afterwards.

Each event has a *topic*, whose handler delivers it, and a *lane*: events of one lane are delivered in order, lanes do
not wait for each other. A handler that raises is tried again with growing pauses, until the event is too old.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator

import msgspec

from hanse.kit.problems import Problem
from hanse.kit.store import Shelf, Store, Transaction
from hanse.kit.values import Value

log = logging.getLogger("hanse.outbox")

Handler = Callable[[bytes], Awaitable[None]]

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
GIVE_UP_AFTER = 3600.0
"""Seconds after which an event that nobody takes is dropped."""
FINAL = frozenset((400, 401, 403, 404, 405, 410, 413, 415))
"""Statuses after which trying again is useless."""


class Event(Value):
    """Something to be told: when it happened (Unix seconds), to whom (lane), how (topic), what (a JSON body)."""

    event_id: str
    lane: str
    topic: str
    body: str
    at: float


class Outbox:
    """The events of one store that wait to be delivered."""

    def __init__(self, store: Store, *, give_up_after: float = GIVE_UP_AFTER) -> None:
        self._store = store
        self._events: Shelf[Event] = store.shelf("outgoing_event", Event)
        self._handlers: dict[str, Handler] = {}
        self._lanes: dict[str, deque[Event]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._give_up_after = give_up_after
        self._last = max((int(event.event_id) for event in self._events.values()), default=0)
        self._running = False

    def handle(self, topic: str, handler: Handler) -> None:
        """Deliver the events of ``topic`` by ``handler``, which gets the JSON body."""
        self._handlers[topic] = handler

    def emit(self, tx: Transaction, topic: str, lane: str, value: msgspec.Struct) -> None:
        """Tell ``value`` once the transaction is on disk."""
        self._last += 1
        body = msgspec.json.encode(value).decode()
        event = Event(event_id=f"{self._last:016d}", lane=lane, topic=topic, body=body, at=time.time())
        tx.put(self._events, event.event_id, event)
        tx.after.append(lambda: self._enqueue(event))

    async def start(self) -> None:
        """Deliver from now on, first what an earlier run left."""
        self._running = True
        for event in sorted(self._events.values(), key=lambda event: event.event_id):
            self._enqueue(event)

    async def close(self) -> None:
        """Stop delivering; what was not delivered waits for the next run."""
        self._running = False
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def forget(self, tx: Transaction, lane: str) -> None:
        """Drop what still waits in a lane: its receiver is gone."""
        for event in tx.values(self._events):
            if event.lane == lane:
                tx.delete(self._events, event.event_id)

    def _enqueue(self, event: Event) -> None:
        if not self._running:
            return
        self._lanes.setdefault(event.lane, deque()).append(event)
        if event.lane not in self._tasks:
            task = asyncio.create_task(self._deliver_lane(event.lane))
            self._tasks[event.lane] = task

    async def _deliver_lane(self, lane: str) -> None:
        waiting = self._lanes[lane]
        try:
            while waiting:
                event = waiting[0]
                if event.event_id in self._events:
                    await self._deliver(event)
                    await self._remove(event)
                waiting.popleft()
        finally:
            del self._tasks[lane]
            if not waiting:
                self._lanes.pop(lane, None)

    async def _deliver(self, event: Event) -> None:
        pauses = _pauses()
        while event.event_id in self._events:
            try:
                await self._handlers[event.topic](event.body.encode())
                return
            except Problem as problem:
                if problem.status in FINAL:
                    log.warning("%s to %s refused for good: %s", event.topic, event.lane, problem)
                    return
                reason: Exception = problem
            except Exception as error:
                log.exception("%s to %s failed", event.topic, event.lane)
                reason = error
            if time.time() - event.at > self._give_up_after:
                log.warning("%s to %s given up: %s", event.topic, event.lane, reason)
                return
            await asyncio.sleep(next(pauses))

    async def _remove(self, event: Event) -> None:
        """Forget a delivered event; while the disk is full it waits, and is not delivered again."""
        for pause in _pauses():
            try:
                await self._store.commit(lambda tx: tx.delete(self._events, event.event_id))
                return
            except Problem as problem:
                log.warning("%s to %s was delivered and cannot be removed: %s", event.topic, event.lane, problem)
            await asyncio.sleep(pause)


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.8, 1.2)
        pause = min(pause * 2, LONGEST_PAUSE)
