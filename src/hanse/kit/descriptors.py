"""Descriptors: how many files and sockets this process may have open at a time."""

from __future__ import annotations

import contextlib
import resource
from typing import Final

PLENTY: Final = 65_536
"""As many as a process asks for; some machines allow a thousand million."""


def allowed() -> int:
    """As many as this process may have now."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def allow_plenty() -> None:
    """Allow this process as many as the machine lets it, up to ``PLENTY``: most begin with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = PLENTY if hard == resource.RLIM_INFINITY else min(hard, PLENTY)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # then it makes do with what it has
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
