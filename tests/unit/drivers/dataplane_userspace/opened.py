"""Which descriptors this process has open."""

from __future__ import annotations

import contextlib
import os


def opened() -> set[tuple[str, str]]:
    """Each by its number and its name, which for sockets and pipes is given only once: ``("7", "socket:[81530]")``."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the one that read the list, or one that was closed meanwhile
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))
    return found
