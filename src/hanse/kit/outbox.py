"""The outbox: events that are committed with the change they tell of, and delivered at least once afterwards.

Each event has a *topic*, whose handler delivers it, and a *lane*: events of one lane are delivered in order, lanes do
not wait for each other. A handler that raises is tried again with growing pauses, until the event is too old for its
topic. The next event of a lane is delivered once the last is off the disk, so that a crash repeats one event of a lane
and no more; events that were delivered about the same time leave the disk in one commit.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator

import msgspec

from hanse.kit.outbox_lanes import Event, Lanes
from hanse.kit.outbox_removal import Removal
from hanse.kit.problems import Problem
from hanse.kit.store import Index, Shelf, Store, Transaction

log = logging.getLogger("hanse.outbox")

Handler = Callable[[bytes], Awaitable[None]]

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
GIVE_UP_AFTER = 3600.0
"""Seconds after which an event that nobody takes is dropped, unless its topic says otherwise."""
NEVER = math.inf
"""For topics whose events are needed however late they come."""
FINAL = frozenset((400, 401, 403, 404, 405, 410, 413, 415))
"""Statuses after which trying again is useless."""


class Outbox:
    """The events of one store that wait to be delivered."""

    def __init__(self, store: Store, *, give_up_after: float = GIVE_UP_AFTER) -> None:
        self._events: Shelf[Event] = store.shelf("outgoing_event", Event)
        self._of_lane: Index[Event, Event] = Index(self._events, lambda event: {event.lane: event})
        self._handlers: dict[str, Handler] = {}
        self._patience: dict[str, float] = {}
        self._lanes = Lanes()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._done = Removal(store, self._events, _pauses, self._go_on)
        self._give_up_after = give_up_after
        self._last = max((int(event.event_id) for event in self._events.values()), default=0)
        self._running = False

    def handle(self, topic: str, handler: Handler, *, give_up_after: float | None = None) -> None:
        """Deliver the events of ``topic`` by ``handler``, which gets the JSON body.

        One that nobody takes is dropped after ``give_up_after`` seconds: as long as any other, if nothing is said.
        """
        self._handlers[topic] = handler
        if give_up_after is not None:
            self._patience[topic] = give_up_after

    def emit(self, tx: Transaction, topic: str, lane: str, value: msgspec.Struct, most: int = 0) -> None:
        """Tell ``value`` once the transaction is on disk.

        Where ``most`` events of the lane wait already the oldest that are not under way are dropped, which the log says
        once: what is told last says how it stands. Those that are decided at the same time are let in together.
        """
        if most and (excess := self._lanes.excess(lane, most)):
            self._drop(tx, lane, excess, most)
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
        """Stop delivering; what was not delivered waits for the next run, what was is removed."""
        self._running = False
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._done.close()

    def waiting(self, topic: str) -> list[bytes]:
        """The JSON bodies of a topic's events that are on the disk: to be delivered, or delivered just now.

        Looks at all events: for what is done now and then, not for each request.
        """
        return [event.body.encode() for event in self._events.values() if event.topic == topic]

    def forget(self, tx: Transaction, lane: str) -> None:
        """Drop what still waits in a lane: its receiver is gone."""
        for event in tx.under(self._of_lane, lane):
            tx.delete(self._events, event.event_id)
        tx.after.append(lambda: self._lanes.keep(lane, lambda event: event.event_id in self._events))

    def _drop(self, tx: Transaction, lane: str, events: list[Event], most: int) -> None:
        for event in events:
            tx.delete(self._events, event.event_id)
        tx.after.append(lambda: self._lanes.leave_out(lane, events, most))

    def _enqueue(self, event: Event) -> None:
        if self._running and self._lanes.add(event):
            self._begin(event)

    def _begin(self, event: Event) -> None:
        self._tasks[event.lane] = asyncio.create_task(self._deliver_first(event))

    async def _deliver_first(self, event: Event) -> None:
        """Deliver the first event of a lane; the lane goes on once that event is removed."""
        try:
            await self._deliver(event)
        finally:
            del self._tasks[event.lane]
        self._done.add(event)

    async def _deliver(self, event: Event) -> None:
        pauses = _pauses()
        while event.event_id in self._events:
            try:
                await self._handlers[event.topic](event.body.encode())
                self._lanes.hears(event.lane)
                return
            except Problem as problem:
                if problem.status in FINAL:
                    self._lanes.hears(event.lane)
                    log.warning("%s to %s refused for good: %s", event.topic, event.lane, problem)
                    return
                reason: Exception = problem
            except Exception as error:
                log.exception("%s to %s failed", event.topic, event.lane)
                reason = error
            if self._too_old(event):
                self._give_up(event, reason)
                return
            await asyncio.sleep(next(pauses))

    def _too_old(self, event: Event) -> bool:
        return time.time() - event.at > self._patience.get(event.topic, self._give_up_after)

    def _give_up(self, event: Event, reason: Exception) -> None:
        along = self._lanes.give_up(event.lane, self._too_old)
        self._done.along(along)
        more = f" with {len(along)} more" if along else ""
        log.warning("%s to %s given up%s: %s", event.topic, event.lane, more, reason)

    def _go_on(self, lane: str) -> None:
        following = self._lanes.advance(lane)
        if following is not None and self._running:
            self._begin(following)


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.8, 1.2)
        pause = min(pause * 2, LONGEST_PAUSE)
