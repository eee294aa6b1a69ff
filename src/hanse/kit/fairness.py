"""Fairness: work for many receivers at once, of whom the slow ones do not take the room of the prompt ones.

Whoever takes too long gives its place back while it goes on, and waits among its like the next time, until it is prompt
again. So a prompt receiver waits for a slow one at most as long as it takes to know that it is slow, and only once.
"""

from __future__ import annotations

import asyncio

MOST_SLOW = 10_000
"""Slow receivers that are remembered; of more, those that have been slow for longest are forgotten."""


class Room:
    """``places`` at the same time for prompt receivers, and as many for slow ones; ``prompt`` in seconds."""

    def __init__(self, places: int, prompt: float) -> None:
        self._prompt = prompt
        self._quick = asyncio.Semaphore(places)
        self._patient = asyncio.Semaphore(places)
        self._slow: dict[str, None] = {}

    def place(self, receiver: str) -> _Place:
        """A place for one piece of work for ``receiver``: ``async with`` it, and wait until there is room."""
        slow = receiver in self._slow
        return _Place(self, receiver, self._patient if slow else self._quick, keeps=slow)

    @property
    def prompt(self) -> float:
        """Seconds after which a receiver is slow."""
        return self._prompt

    def remember(self, receiver: str) -> None:
        """``receiver`` is slow."""
        self._slow[receiver] = None
        if len(self._slow) > MOST_SLOW:
            del self._slow[next(iter(self._slow))]

    def forgive(self, receiver: str) -> None:
        """``receiver`` was prompt."""
        self._slow.pop(receiver, None)


class _Place:
    """One place; ``keeps`` it to the end, or gives it back as soon as its receiver is slow."""

    def __init__(self, room: Room, receiver: str, places: asyncio.Semaphore, *, keeps: bool) -> None:
        self._room = room
        self._receiver = receiver
        self._places = places
        self._keeps = keeps
        self._late = False

    async def __aenter__(self) -> None:
        await self._places.acquire()
        self._timer = asyncio.get_running_loop().call_later(self._room.prompt, self._is_late)

    async def __aexit__(self, *_: object) -> None:
        self._timer.cancel()
        if not self._late:
            self._room.forgive(self._receiver)
        if self._keeps or not self._late:
            self._places.release()

    def _is_late(self) -> None:
        self._late = True
        self._room.remember(self._receiver)
        if not self._keeps:
            self._places.release()
