"""Refused token requests in the journal: the first of an address at once, what follows within a minute as one record.

Nobody needs credentials to be refused. Were each refusal a record, a stranger could push everything else out.
"""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from hanse.kit.contract.observe import Message, Observer

PERIOD = 60.0
"""Seconds whose refusals of one address and status become one record."""
MOST_HELD = 20
"""Addresses and statuses that are told apart; all others are one address more."""
ELSEWHERE = "elsewhere"


class _Held:
    """What came after the first refusal."""

    def __init__(self, ends: asyncio.TimerHandle) -> None:
        self.ends = ends
        self.count = 0
        self.last: Message | None = None


class Refusals:
    """Hands refusals to an observer; however many there are, it gets some dozens a minute at most."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._held: dict[tuple[str, int], _Held] = {}

    def saw(self, message: Message, address: str) -> None:
        """A request from ``address`` was refused; its record may wait for `PERIOD`."""
        key = (address, message.status)
        if key not in self._held and len(self._held) >= MOST_HELD:
            key = (ELSEWHERE, message.status)
        held = self._held.get(key)
        if held is not None:
            held.count, held.last = held.count + 1, message
            return
        self._held[key] = _Held(asyncio.get_running_loop().call_later(PERIOD, self._end, key))
        self._observer.saw(message)

    async def close(self) -> None:
        """Tell what is held back."""
        for key in list(self._held):
            self._held[key].ends.cancel()
            self._end(key)

    def _end(self, key: tuple[str, int]) -> None:
        held = self._held.pop(key)
        if held.last is not None:
            problem = f"{held.last.problem} ({held.count} more from {key[0]})"
            self._observer.saw(replace(held.last, problem=problem, count=held.count))
