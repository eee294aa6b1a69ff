"""What waits to be told, lane by lane: the first event of a lane is the one that is under way.

This is the outbox's memory of what is on disk. No look at a lane costs more because more waits in it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from itertools import islice

from hanse.kit.values import Value

log = logging.getLogger("hanse.outbox")


class Event(Value, gc=False):
    """Something to be told: when it happened (Unix seconds), to whom (lane), how (topic), what (a JSON body).

    It refers to nothing that could refer to it: however many wait, collecting garbage passes them over.
    """

    event_id: str
    lane: str
    topic: str
    body: str
    at: float


class Lanes:
    """The events of each lane in the order in which they were decided."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Event]] = {}
        self._dropped: dict[str, int] = {}
        self._deaf: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def first(self, lane: str) -> Event | None:
        """The event that is under way; ``None`` if nothing waits."""
        waiting = self._waiting.get(lane)
        return waiting[0] if waiting else None

    def add(self, event: Event) -> bool:
        """Have one more wait; whether it is the first of its lane, to be begun now."""
        waiting = self._waiting.setdefault(event.lane, deque())
        waiting.append(event)
        return len(waiting) == 1

    def advance(self, lane: str) -> Event | None:
        """The first is done; what follows it."""
        waiting = self._waiting[lane]
        waiting.popleft()
        if waiting:
            return waiting[0]
        del self._waiting[lane]
        self._deaf.discard(lane)
        if (dropped := self._dropped.pop(lane, 0)) > 0:
            log.info("%s has room again; %d events were not told to it", lane, dropped)
        return None

    def excess(self, lane: str, most: int) -> list[Event]:
        """The oldest that have to go so that one more is among ``most``; never the one that is under way."""
        waiting = self._waiting.get(lane)
        if waiting is None or len(waiting) < most:
            return []
        return list(islice(waiting, 1, len(waiting) - most + 2))

    def leave_out(self, lane: str, events: list[Event], most: int) -> None:
        """Have some of the excess wait no more; that it is so is said once, until the lane is empty again."""
        waiting = self._waiting.get(lane, deque())
        left = 0
        for event in events:
            if len(waiting) > 1 and waiting[1] is event:
                del waiting[1]
                left += 1
        if left and lane not in self._dropped:
            log.warning("%d events wait for %s, which is all that may: the oldest are dropped, not told", most, lane)
        if left:
            self._dropped[lane] = self._dropped.get(lane, 0) + left

    def give_up(self, lane: str, too_old: Callable[[Event], bool]) -> list[Event]:
        """The first is not taken, in all its time; those that are given up with it.

        At the second in a row they are all that have waited as long: they would be tried one by one, for hours. One
        alone may be what its receiver stumbles over.
        """
        waiting, along = self._waiting[lane], []
        while lane in self._deaf and len(waiting) > 1 and too_old(waiting[1]):
            along.append(waiting[1])
            del waiting[1]
        self._deaf.add(lane)
        return along

    def hears(self, lane: str) -> None:
        """The first was taken, or refused with an answer: somebody is there."""
        self._deaf.discard(lane)

    def keep(self, lane: str, lives: Callable[[Event], bool]) -> None:
        """Of a lane only those that live, and the one that is under way."""
        waiting = self._waiting.get(lane)
        if waiting:
            kept = [event for place, event in enumerate(waiting) if place == 0 or lives(event)]
            self._waiting[lane] = deque(kept)
