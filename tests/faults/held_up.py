"""Processes that a test holds up for a while, so that what waits for them cannot have ended by then."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def held_up(pids: Collection[int]) -> Iterator[None]:
    """These processes do nothing meanwhile."""
    assert pids
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):  # whoever waited for it too long may have ended it
                os.kill(pid, signal.SIGCONT)
