"""What the machine took for itself while a test measured: a promise in seconds is the product's, not the machine's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

PERIOD = 0.02
"""Seconds of each of the sleeps that are looked at."""


@dataclass
class Lateness:
    """By how many seconds sleeps of this process came late so far, in all."""

    seconds: float = 0.0


@asynccontextmanager
async def lateness() -> AsyncIterator[Lateness]:
    """Measure it meanwhile: what a busy machine adds to the time that something takes, it adds to these sleeps too."""
    found = Lateness()

    async def sleep() -> None:
        while True:
            due = time.monotonic() + PERIOD
            await asyncio.sleep(PERIOD)
            found.seconds += max(0.0, time.monotonic() - due)

    sleeping = asyncio.create_task(sleep())
    try:
        yield found
    finally:
        sleeping.cancel()
