"""Waiting for what is to come to pass, never for a time: a busy machine makes a scenario slower, not wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds after which what has not come to pass is taken as it is, for a check to tell."""
_LOOK_EVERY = 0.05


async def awaited(look: Callable[[], Awaitable[T]], enough: Callable[[T], bool], patience: float | None = None) -> T:
    """What ``look`` finds, as soon as it is ``enough``; what it finds last if that takes more than ``patience``."""
    end = time.monotonic() + (PATIENCE if patience is None else patience)
    while True:
        found = await look()
        if enough(found) or time.monotonic() >= end:
            return found
        await asyncio.sleep(_LOOK_EVERY)
