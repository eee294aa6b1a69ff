"""Places for connections, of which no address takes more than its part before it has shown who it is."""

from __future__ import annotations

import time
from collections.abc import Callable

PROMPT = 1.0
"""Seconds in which who is prompt has shown who it is; a place that is held longer goes to a newcomer of its address."""


class Place:
    """A place that one connection holds, a stranger's until ``known``; ``leave`` is called if it must give way."""

    def __init__(self, places: Places, address: str, leave: Callable[[], object]) -> None:
        self._places, self.address, self.leave = places, address, leave
        self.since = time.monotonic()
        self.stranger = True

    def known(self) -> None:
        """Who holds it has shown who it is, and need not give way any more."""
        self.stranger = False
        self._places.spare(self)

    def give_back(self) -> None:
        """Let it go; a second time changes nothing."""
        self._places.release(self)
        self.leave = _stay


class Places:
    """At most ``most`` places. While there are free ones, any address may have any number of them.

    Once all are taken, the address with most strangers gives way to one with fewer: no stranger keeps others out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: set[Place] = set()
        self._strangers: dict[str, dict[Place, None]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def any(self) -> bool:
        """Whether somebody may be let in now: there is a free place, or it can be decided who gives way."""
        return len(self._held) < self._most or len(self._strangers.get(self._greediest(), ())) > 1

    def take(self, address: str, leave: Callable[[], object]) -> Place | None:
        """A place for a newcomer; ``None`` if none of the strangers has to give way to it."""
        if len(self._held) >= self._most:
            displaced = self._displaced(address)
            if displaced is None:
                return None
            leaving = displaced.leave
            displaced.give_back()
            leaving()
        place = Place(self, address, leave)
        self._held.add(place)
        self._strangers.setdefault(address, {})[place] = None
        return place

    def spare(self, place: Place) -> None:
        """Count a place no longer among those of strangers."""
        strangers = self._strangers.get(place.address, {})
        strangers.pop(place, None)
        if not strangers:
            self._strangers.pop(place.address, None)

    def release(self, place: Place) -> None:
        """Have it free again."""
        self.spare(place)
        self._held.discard(place)

    def _displaced(self, address: str) -> Place | None:
        own, greediest = self._strangers.get(address, {}), self._strangers.get(self._greediest(), {})
        if len(own) + 1 < len(greediest):
            return next(iter(greediest))
        oldest = next(iter(own), None)
        return oldest if oldest is not None and time.monotonic() - oldest.since >= PROMPT else None

    def _greediest(self) -> str:
        return max(self._strangers, key=lambda address: len(self._strangers[address]), default="")


def _stay() -> None:
    """Who has gone need not leave."""
