"""How long an event loop is kept from its other work, in seconds of its thread's own: no busy machine adds to it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass
class Turns:
    """The longest time for which nobody else had a turn so far, and how many turns there were."""

    longest: float = 0.0
    number: int = 0


@asynccontextmanager
async def turns() -> AsyncIterator[Turns]:
    """Watch meanwhile. The garbage collector rests: its work is that of everything, not of what is measured."""
    found = Turns()

    async def watch() -> None:
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            found.longest, found.number, last = max(found.longest, now - last), found.number + 1, now

    gc.disable()
    watching = asyncio.create_task(watch())
    try:
        await asyncio.sleep(0)
        yield found
    finally:
        watching.cancel()
        gc.enable()
