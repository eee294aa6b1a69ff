"""News of hosts: how their operations go, as they tell it, for the procedure that waits for it."""

from __future__ import annotations

import asyncio
import time

from hanse.refpoints.mm1.lifecycle import AppLcmOpOcc

MOST_TOLD = 1000
"""News of hosts that nobody has asked for yet; what is dropped is asked for again."""


class HostNews:
    """The latest word of each operation on a host; it is taken away by who waits for it."""

    def __init__(self) -> None:
        self._told: dict[str, AppLcmOpOcc] = {}
        self._news = asyncio.Condition()

    async def tell(self, operation: AppLcmOpOcc) -> None:
        """A host's operation changed."""
        async with self._news:
            self._told[operation.id] = operation
            while len(self._told) > MOST_TOLD:
                self._told.pop(next(iter(self._told)))
            self._news.notify_all()

    async def of(self, identifier: str, patience: float) -> AppLcmOpOcc | None:
        """The news of an operation; ``None`` if there is none within ``patience`` seconds."""
        deadline = time.monotonic() + patience
        async with self._news:
            while identifier not in self._told and time.monotonic() < deadline:
                try:
                    async with asyncio.timeout(deadline - time.monotonic()):
                        await self._news.wait()
                except TimeoutError:
                    break
            return self._told.pop(identifier, None)
