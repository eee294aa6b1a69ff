"""The log of a process: what it writes to its standard output and error, in a file that does not grow for ever."""

from __future__ import annotations

import os
from pathlib import Path

OLDER = ".1"
"""What the name of the older of the two files ends in."""
_OUTPUTS = (1, 2)


class LogFile:
    """Kept below ``limit`` bytes, as far as looks are frequent enough; one older file of that size is kept beside it.

    It is only touched if it is what this process writes to: whoever sends the output elsewhere (to a terminal, to the
    journal of systemd) keeps it as he likes. Not a line is lost: the file is renamed and a new one put below the same
    descriptors.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit

    def turn_over(self) -> bool:
        """Begin a new file if this one is full; whether it did. Blocks for some file operations."""
        try:
            found = self._path.stat()
        except OSError:
            return False
        ours = [output for output in _OUTPUTS if _same(output, found)]
        if not ours or found.st_size <= self._limit:
            return False
        self._path.replace(self._path.with_name(self._path.name + OLDER))
        fresh = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, found.st_mode & 0o777)
        try:
            for output in ours:
                os.dup2(fresh, output)
        finally:
            os.close(fresh)
        return True


def _same(descriptor: int, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), found)
    except OSError:
        return False
