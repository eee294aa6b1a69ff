"""All that an element has on disk, to see that a refusal has changed none of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

Rows = dict[str, list[tuple[str, ...]]]


BY_THEMSELVES = {"outgoing_event", "report_number", "platform_report", "membership"}
"""Shelves of what is under way between elements, which changes whoever asks for what."""


def state_of(store: Path) -> Rows:
    """The records of a store by shelf."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: list(connection.execute(f'SELECT key, body FROM "{name}" ORDER BY key'))
            for name in tables
            if name not in BY_THEMSELVES
        }
