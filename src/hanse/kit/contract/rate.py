"""A limit for how often a caller may call: a bucket of tokens each, kept as one number (MEC 009, Annex E: 429)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from hanse.kit.contract.call import Caller
from hanse.kit.problems import Problem

MOST_CALLERS = 10_000
"""Callers that are remembered before those whose buckets are full again are forgotten."""


class RateLimit:
    """``rate`` calls a second for each caller, and up to ``burst`` at once; elements of the operator are not limited.

    A bucket is the moment at which it will be full again. A call that is let in moves it on by one token's time.
    """

    def __init__(
        self, rate: float, burst: int, *, elements: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("a rate above 0 calls a second, and a burst of at least 1")
        self._token = 1.0 / rate
        self._capacity = burst / rate
        self._elements = elements
        self._clock = clock
        self._full: dict[tuple[str, str, str], float] = {}

    def admit(self, caller: Caller) -> None:
        """Let one more call in; a problem 429 says when to come again."""
        if caller.trusted and not self._elements:
            return
        now = self._clock()
        key = (caller.role, caller.name, caller.subject)
        full = max(self._full.get(key, now), now) + self._token
        if full - now > self._capacity + 1e-9:
            wait = math.ceil(full - now - self._capacity)
            detail = f"at most {1 / self._token:g} requests a second; come again in {wait} s"
            raise Problem(429, "Too many requests", detail, {"Retry-After": str(wait)})
        if len(self._full) >= MOST_CALLERS and key not in self._full:
            self._forget(now)
        self._full[key] = full

    def _forget(self, now: float) -> None:
        self._full = {key: full for key, full in self._full.items() if full > now}
