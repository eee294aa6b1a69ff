"""The last bytes that a workload wrote: two segments, each at most as long as what is kept. Standard library only."""

from __future__ import annotations

import os
from typing import BinaryIO

_TRIES = 5


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
        if self._file is None:
            self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115 (kept open from write to write)
        if self._file.tell() + len(chunk) > self._keep:
            self._close()
            os.replace(self._path, _older(self._path))
            self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115
        self._file.write(chunk)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


def last(path: str, keep: int) -> bytes:
    """The last ``keep`` bytes, read while the supervisor may be writing."""
    content = b""
    for _ in range(_TRIES):
        before = _mark(path)
        content = _content(_older(path)) + _content(path)
        if _mark(path) == before:
            break
    return content[-keep:] if keep else b""


def _older(path: str) -> str:
    return f"{path}.1"


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _mark(path: str) -> tuple[int, int]:
    """Changes whenever the segments move on; an inode may come back, with another time of change."""
    try:
        found = os.stat(_older(path))
    except FileNotFoundError:
        return (0, 0)
    return (found.st_ino, found.st_ctime_ns)
