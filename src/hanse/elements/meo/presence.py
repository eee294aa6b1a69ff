"""Presence: which platforms are heard. What a silent one reported is on disk still, and must be offered to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

SILENCE = 7.0
"""Seconds without a report after which the services of a platform count as gone; it reports every two."""


class Presence:
    """Hears platforms; one that was never heard counts as present until its first patience, from `watch` on, is over.

    ``changed`` is called when a platform falls silent, and when it is heard again.
    """

    def __init__(self, changed: Callable[[], None], patience: float = SILENCE) -> None:
        self._changed = changed
        self._patience = patience
        self._silent: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def watch(self, hosts: Iterable[str]) -> None:
        """Expect reports of these hosts from now on."""
        for host in hosts:
            self.hear(host)

    def hear(self, host: str) -> None:
        """The platform of a host has reported."""
        if host in self._timers:
            self._timers[host].cancel()
        self._timers[host] = asyncio.get_running_loop().call_later(self._patience, self._fell_silent, host)
        if host in self._silent:
            self._silent.remove(host)
            self._changed()

    def silent(self, host: str) -> bool:
        """Whether nothing was heard of a host for too long."""
        return host in self._silent

    def close(self) -> None:
        """Expect nothing any more."""
        for timer in self._timers.values():
            timer.cancel()

    def _fell_silent(self, host: str) -> None:
        self._silent.add(host)
        self._changed()
