"""Renewal: what the elements of a process show is made anew in time, while they run and without cutting anything."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from hanse.kit.background import Background
from hanse.kit.certificates import Identity, renew
from hanse.kit.problems import Problem

log = logging.getLogger("hanse.certificates")

DAY = timedelta(days=1)
LOOKS = 12
"""Looks in a lifetime, at least: of those in its last third three may fail, for a full disk or the like."""

Issue = Callable[[], Identity]
"""An identity from the authority, made anew when a third of its life is left. Reads and writes files."""


@dataclass
class _Shown:
    """A TLS context, where its certificate comes from, and which one it shows now."""

    context: ssl.SSLContext
    issue: Issue
    thumbprint: str


class Renewal:
    """Looks once a day, or more often where certificates live shortly, and has the next handshakes show what is new.

    Other processes may renew the same files: what counts is whether the file is another than the one that is shown.
    """

    def __init__(self, lifetime: timedelta) -> None:
        self._period = min(DAY, lifetime / LOOKS).total_seconds()
        self._shown: list[_Shown] = []
        self._renewed: list[Callable[[], None]] = []
        self._background = Background()

    def context(self, issue: Issue, make: Callable[[Identity], ssl.SSLContext]) -> ssl.SSLContext:
        """A TLS context that shows what ``issue`` gives, now and after every renewal."""
        identity = issue()
        shown = _Shown(make(identity), issue, identity.thumbprint)
        self._shown.append(shown)
        return shown.context

    def on_renewal(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` after something was renewed: what is bound to the former certificate is worth nothing now."""
        self._renewed.append(tell)

    async def start_up(self) -> None:
        """Begin to look."""
        self._background.start(self._run())

    async def shut_down(self) -> None:
        """Stop looking."""
        await self._background.stop()

    async def look(self) -> int:
        """Renew what is due; the number of contexts that show something new. One that fails is tried the next time."""
        renewed = 0
        for shown in self._shown:
            try:
                renewed += await _renewed(shown)
            except Problem as problem:
                log.error("a certificate is not renewed: %s", problem)
        if renewed:
            for tell in self._renewed:
                tell()
        return renewed

    async def show(self, context: ssl.SSLContext) -> None:
        """Have one context show now what its ``issue`` gives; a problem if that cannot be had, or not be shown."""
        for shown in self._shown:
            if shown.context is context:
                await _renewed(shown)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            try:
                await self.look()
            except Exception:  # whatever it is, tomorrow is another day
                log.exception("looking at certificates failed")


async def _renewed(shown: _Shown) -> bool:
    """Whether a context shows something new from now on."""
    identity, thumbprint = await asyncio.to_thread(_issued, shown.issue)
    if thumbprint == shown.thumbprint:
        return False
    renew(shown.context, identity)
    shown.thumbprint = thumbprint
    return True


def _issued(issue: Issue) -> tuple[Identity, str]:
    identity = issue()
    return identity, identity.thumbprint
