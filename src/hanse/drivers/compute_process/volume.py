"""The quota of a volume, held without privileges: a workload whose files take more than it has is ended.

Standard library only. The kernel refuses a single file beyond the size (`app`); what many files take together is
measured here, a few times a second, so a fast writer gets beyond the size for a moment before it is ended.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

LOOK = 0.25
"""Seconds between two measurements."""
_SHARE = 10
"""It rests so many times as long as a measurement took: it never takes more than a tenth of a core."""
_BLOCK = 512
"""The unit of ``st_blocks``, and what a file or directory takes at least: empty ones must not be free of charge."""


class Quota:
    """The volume of a run, as in `plan.Run`: its ``path``, and its ``size`` in bytes. ``None``: it has none."""

    def __init__(self, volume: dict[str, Any] | None) -> None:
        self._path: str = volume["path"] if volume else ""
        self._size: int = volume["size"] if volume else 0

    def excess(self) -> str:
        """Why nothing may run on this volume; empty if there is room, or no volume."""
        if not self._path or taken(self._path, self._size) <= self._size:
            return ""
        return f"the files of its volume take more than the {self._size} bytes that it has"

    def watch(self, exceeded: Callable[[str], None]) -> None:
        """From now on measure, in a thread; ``exceeded`` is called there with the reason, once."""
        if self._path:
            threading.Thread(target=self._watch, args=(exceeded,), daemon=True).start()

    def _watch(self, exceeded: Callable[[str], None]) -> None:
        while True:
            began = time.monotonic()
            if reason := self.excess():
                return exceeded(reason)
            time.sleep(max(LOOK, _SHARE * (time.monotonic() - began)))


def taken(directory: str, enough: int) -> int:
    """Bytes that the files and directories below one take on the disk, each once; it stops counting beyond ``enough``.

    Links are not followed. A file that was removed while it is open is not seen.
    """
    found, seen = 0, set()
    for status in _below(directory):
        inode = (status.st_dev, status.st_ino)
        if inode not in seen:
            seen.add(inode)
            found += max(_BLOCK, status.st_blocks * _BLOCK)
        if found > enough:
            break
    return found


def _below(directory: str) -> Iterator[os.stat_result]:
    for parent, directories, names in os.walk(directory):
        for name in (*directories, *names):
            with contextlib.suppress(OSError):
                yield os.lstat(os.path.join(parent, name))
