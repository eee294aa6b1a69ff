"""Standing: the phase of each app, and those who wait for it to change."""

from __future__ import annotations

import asyncio

import msgspec

from hanse.elements.mep.records import AppRecord, Records
from hanse.kit.store import Transaction
from hanse.refpoints.mm5.platform import AppPhase


class Standings:
    """Changes phases as part of decisions and wakes who waits, once it is on disk."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def enter(self, tx: Transaction, app: AppRecord, phase: AppPhase) -> None:
        """Let an app enter a phase."""
        tx.put(self._records.apps, app.app_instance_id, msgspec.structs.replace(app, phase=phase))
        tx.after.append(lambda: self.wake(app.app_instance_id))

    def wake(self, app_instance_id: str) -> None:
        """Wake those who wait for this app."""
        for event in self._waiting.get(app_instance_id, ()):
            event.set()

    async def wait(self, app_instance_id: str, phase: AppPhase, seconds: float) -> None:
        """Return when the app is in ``phase`` or gone, or after ``seconds``."""
        event = asyncio.Event()
        self._waiting.setdefault(app_instance_id, set()).add(event)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    app = self._records.apps.find(app_instance_id)
                    if app is None or app.phase is phase:
                        return
                    event.clear()
                    await event.wait()
        except TimeoutError:
            return
        finally:
            self._waiting[app_instance_id].discard(event)
            if not self._waiting[app_instance_id]:
                del self._waiting[app_instance_id]
