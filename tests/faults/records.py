"""What elements have on disk, looked at while they write."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.bounds import SOON


def rows(file: Path, query: str, *values: str) -> list[tuple[str]]:
    """What a query finds in an element's store as it stands on disk now, whoever writes meanwhile."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=SOON)) as database:
        return database.execute(query, values).fetchall()
