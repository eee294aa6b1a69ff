"""A limit on answers by UDP, so that nobody with a forged address makes this server flood another (RRL)."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum

MOST_CLIENTS = 65536
"""Addresses that are counted in a second; others, were they all real, find their way by TCP."""
_EACH_SECOND = 1.0


class Verdict(Enum):
    """What becomes of an answer."""

    SEND = "send"
    CUT = "cut"
    DROP = "drop"


class RateLimit:
    """At most ``rate`` answers a second to an address; 0 is no limit.

    Beyond it every second answer is cut to a question with TC, which is no longer than what was asked: one who really
    is there asks again by TCP; a victim of forgery gets less than was spent on it.
    """

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._ends = 0.0
        self._sent: dict[str, int] = {}

    def judge(self, address: str) -> Verdict:
        """Count one more answer to an address."""
        if not self._rate:
            return Verdict.SEND
        now = self._clock()
        if now >= self._ends:
            self._sent.clear()
            self._ends = now + _EACH_SECOND
        sent = self._sent.get(address, 0) + 1
        if sent == 1 and len(self._sent) >= MOST_CLIENTS:
            return Verdict.CUT
        self._sent[address] = sent
        if sent <= self._rate:
            return Verdict.SEND
        return Verdict.CUT if (sent - self._rate) % 2 == 0 else Verdict.DROP
