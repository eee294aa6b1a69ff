"""Pipes between sockets: bytes go through the kernel without being copied into this process (splice(2))."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import NamedTuple

LARGE, SMALL = 1 << 20, 1 << 16
"""Bytes that a pipe takes at a time: much, but little once many of them are held up."""
_MANY = 32
_KEPT = 4


class Pipe(NamedTuple):
    """The two ends, and how many bytes it may be given at a time."""

    out: int
    into: int
    room: int

    def close(self) -> None:
        """Let go of it, whatever is in it."""
        os.close(self.out)
        os.close(self.into)


class Pipes:
    """Pipes that are lent for a moment, and stay lent while the end that takes their bytes lags behind.

    So thousands of flows need a few pipes, and each that lags holds 1 MiB at most, 64 KiB if more than 32 do.
    """

    def __init__(self) -> None:
        self._idle: list[Pipe] = []
        self._lent = 0

    def take(self) -> Pipe:
        """An empty pipe; OSError if this process or this machine has no descriptors left."""
        pipe = self._idle.pop() if self._idle else _made()
        self._lent += 1
        return pipe._replace(room=LARGE if self._lent <= _MANY else SMALL)

    def give_back(self, pipe: Pipe, empty: bool) -> None:
        """It is not needed any more; what is still in it is thrown away with it."""
        self._lent -= 1
        if empty and len(self._idle) < _KEPT:
            self._idle.append(pipe)
        else:
            pipe.close()

    def close(self) -> None:
        """Let go of those that wait."""
        while self._idle:
            self._idle.pop().close()


def _made() -> Pipe:
    out, into = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    with contextlib.suppress(OSError):  # users may have so many large pipes; smaller ones take more rounds
        fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, LARGE)
    return Pipe(out, into, LARGE)
