"""The log of DBOS: a connection to its SQLite file whose commits are effects, as every commit of ours is."""

from __future__ import annotations

import sqlite3
from typing import Any

from hanse.kit.failpoints import effect


class LogConnection(sqlite3.Connection):
    """What SQLAlchemy is told to connect with (``factory`` of `sqlite3.connect`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._written = 0

    def commit(self) -> None:
        """End the transaction. DBOS looks for work by updates that find none: these write nothing."""
        if self.total_changes == self._written:
            super().commit()
        else:
            self._commit_changes()

    @effect("procedures.commit")
    def _commit_changes(self) -> None:
        super().commit()
        self._written = self.total_changes
