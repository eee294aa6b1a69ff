"""The last bytes that a workload wrote: two segments, each at most as long as what is kept. Standard library only."""

from __future__ import annotations

import contextlib
import os
from typing import BinaryIO


class Tail:
    """Keeps at least the last ``keep`` bytes, and at most twice as many on disk; a full disk loses output, no more."""

    def __init__(self, path: str, keep: int) -> None:
        self._path, self._keep = path, keep
        self._file: BinaryIO | None = None

    def write(self, chunk: bytes) -> None:
        """Take in what the workload wrote. Never raises: a workload must not block because its words find no room."""
        if not self._keep:
            return
        try:
            self._append(chunk[-self._keep :])
        except OSError:
            self._close()

    def _append(self, chunk: bytes) -> None:
        """A segment is filled to the brim before the next begins: whoever finds an older one finds enough in it."""
        if self._file is None:
            self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115 (kept open from write to write)
        room = max(self._keep - self._file.tell(), 0)
        self._file.write(chunk[:room])
        if len(chunk) >= room:
            self._close()
            os.replace(self._path, _older(self._path))
        if len(chunk) > room:
            self._append(chunk[room:])

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


def last(path: str, keep: int) -> bytes:
    """The last ``keep`` bytes, also while the supervisor goes on writing."""
    with contextlib.ExitStack() as open_files:
        segments = [open_files.enter_context(file) for file in _opened(path) if file is not None]
        content = b"".join(file.read() for file in segments)
    return content[-keep:] if keep else b""


def _opened(path: str) -> list[BinaryIO | None]:
    """The older segment and the newer one that follows it.

    Once open they stay what they are, whatever the names come to mean: the older is complete, the newer only grows.
    """
    while True:
        before = _mark(path)
        files = [_open(_older(path)), _open(path)]
        if _mark(path) == before:
            return files
        for file in files:
            if file is not None:
                file.close()


def _older(path: str) -> str:
    return f"{path}.1"


def _open(path: str) -> BinaryIO | None:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        return None


def _mark(path: str) -> tuple[int, int]:
    """Changes whenever the segments move on; an inode may come back, with another time of change."""
    try:
        found = os.stat(_older(path))
    except FileNotFoundError:
        return (0, 0)
    return (found.st_ino, found.st_ctime_ns)
