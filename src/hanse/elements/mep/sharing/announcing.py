"""Announcing: what this platform tells its neighbours of its services and rules, and that it lives (Mp3)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from hashlib import sha256

import msgspec

from hanse.elements.mep.records import Records
from hanse.elements.mep.service_management.locality import leaves_host
from hanse.kit.contract.call import UNTRACED, continuing, new_trace
from hanse.kit.problems import Problem
from hanse.refpoints.mp3.services import SIGN_PERIOD, Announcement, SharedRule, SharedServices, SignOfLife

log = logging.getLogger("hanse.mep")

GATHER = 0.05
"""Seconds in which changes gather before they are announced."""
GATHER_EACH = 0.00005
"""As many more for each service and rule that is announced with them: to tell all costs both sides what all is."""
ANSWER_PATIENCE = 2.0
"""Seconds that a neighbour may take to answer; a slow one delays no other."""


class Announcer:
    """Tells each neighbour by itself, so that one that is away holds up nobody."""

    def __init__(
        self,
        host: str,
        records: Records,
        neighbours: Mapping[str, SharedServices],
        rules: Callable[[], tuple[SharedRule, ...]],
    ) -> None:
        self._host = host
        self._records = records
        self._rules = rules
        self._neighbours = neighbours
        self._news = {name: asyncio.Event() for name in neighbours}
        self._latest: Announcement | None = None
        self._told: Announcement | None = None

    def changed(self) -> None:
        """A service of this host, or a rule of an app, came, changed or went."""
        self._latest = None
        for event in self._news.values():
            event.set()

    def announcement(self) -> Announcement:
        """All that is shared now; what is for the host alone is no part of it (8.1.2.2)."""
        if self._latest is None:
            services = tuple(
                record.service for record in self._records.services.values() if leaves_host(record.service)
            )
            rules = self._rules()
            mark = sha256(msgspec.json.encode((services, rules))).hexdigest()[:32]
            self._latest = self._told = Announcement(mark=mark, services=services, rules=rules)
        return self._latest

    async def run(self) -> None:
        """Tell all neighbours, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, neighbour in self._neighbours.items():
                group.create_task(self._tell_forever(name, neighbour))

    async def _tell_forever(self, name: str, neighbour: SharedServices) -> None:
        news, heard = self._news[name], True
        while True:
            news.clear()
            try:
                await self._tell(neighbour)
                heard = True
            except Problem as problem:
                log.log(logging.INFO if heard else logging.DEBUG, "platform of %s does not hear us: %s", name, problem)
                heard = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SIGN_PERIOD):
                    await news.wait()
                    await asyncio.sleep(self._gathering())

    def _gathering(self) -> float:
        """Never so long that a neighbour misses a sign of life."""
        known = self._told
        return min(SIGN_PERIOD / 2, GATHER + GATHER_EACH * (len(known.services) + len(known.rules) if known else 0))

    async def _tell(self, neighbour: SharedServices) -> None:
        """A sign of life, and all services if the neighbour has other ones in mind."""
        with continuing(UNTRACED, patience=ANSWER_PATIENCE):
            known = await neighbour.alive(self._host, SignOfLife(mark=self.announcement().mark))
        announcement = self.announcement()
        if known.mark != announcement.mark:
            with continuing(new_trace(), patience=ANSWER_PATIENCE):
                await neighbour.announce(self._host, announcement)
