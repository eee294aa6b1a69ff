"""A small file that somebody may change at any time, read again when it is another one: a look costs one ``stat``."""

from __future__ import annotations

import os
from pathlib import Path


class WatchedFile:
    """The content of one file as it is now. A change is seen at the next look, also one that leaves the size."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._content: bytes | None = None

    def changed(self) -> bool:
        """Whether the file is another one than at the last call; at the first call it is."""
        seen = self._look()
        if self._seen is not None and seen == self._seen:
            return False
        self._content = self._read()
        self._seen = seen
        return True

    @property
    def content(self) -> bytes | None:
        """What was in the file when `changed` looked last; ``None`` if it cannot be read."""
        return self._content

    def _look(self) -> tuple[int, int, int]:
        try:
            found = os.stat(self.path)
        except OSError:
            return (0, 0, -1)
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except OSError:
            return None
