"""What an operator has made durable so far, counted in its files."""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path

import msgspec

_HEADER, _FRAME_HEADER = 32, 24


class Made(msgspec.Struct, frozen=True):
    """Commits of the elements' stores; procedures and their steps."""

    commits: int
    procedures: int
    steps: int

    def __sub__(self, other: Made) -> Made:
        return Made(self.commits - other.commits, self.procedures - other.procedures, self.steps - other.steps)


def count(directory: Path) -> Made:
    """Count for one operator in one process; the commits are those since its write-ahead logs last began anew."""
    logs = [log for log in directory.glob("*.sqlite-wal") if not log.name.startswith("procedures")]
    procedures = next(directory.glob("procedures-*.sqlite"))
    with sqlite3.connect(f"file:{procedures}?mode=ro", uri=True) as connection:
        (begun,) = connection.execute("select count(*) from workflow_status").fetchone()
        (steps,) = connection.execute("select count(*) from operation_outputs").fetchone()
    connection.close()
    return Made(sum(_commits(log.read_bytes()) for log in logs), begun, steps)


def _commits(log: bytes) -> int:
    """Transactions in a write-ahead log: the last frame of each holds the size of the database (SQLite file format)."""
    if len(log) < _HEADER:
        return 0
    (page,), salt = struct.unpack_from(">I", log, 8), log[16:24]
    commits = 0
    for offset in range(_HEADER, len(log) - _FRAME_HEADER, page + _FRAME_HEADER):
        if log[offset + 8 : offset + 16] != salt:
            break
        commits += log[offset + 4 : offset + 8] != b"\0\0\0\0"
    return commits
