"""The file of a store: a SQLite table for each shelf, with the keys of its values and their bodies as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sql

from hanse.kit.failpoints import effect
from hanse.kit.shelf import DELETED

Rows = Mapping[tuple[str, str], Any]
"""Values, or `DELETED`, by shelf and key."""


class StoreFile:
    """One SQLite file, or one in memory for tests; made if it is not there."""

    def __init__(self, path: Path | None) -> None:
        self._engine = _engine(path)
        self._metadata = sql.MetaData()

    def read(self, shelf: str) -> list[tuple[str, str]]:
        """Keys and bodies of a shelf, in the order in which the keys first came; asked for once, at start."""
        columns = (sql.Column("key", sql.Text, primary_key=True), sql.Column("body", sql.Text))
        table = sql.Table(shelf, self._metadata, *columns)
        with self._engine.begin() as connection:
            table.create(connection, checkfirst=True)
            rows = connection.execute(sql.select(table.c.key, table.c.body).order_by(sql.text("rowid")))
            return [(key, body) for key, body in rows]

    @effect("store.commit")
    def write(self, rows: Rows) -> None:
        """Write all of them or, if the disk takes no more, none."""
        kept: dict[str, list[dict[str, str]]] = {}
        gone: dict[str, list[dict[str, str]]] = {}
        for (shelf, key), value in rows.items():
            if value is DELETED:
                gone.setdefault(shelf, []).append({"key": key})
            else:
                kept.setdefault(shelf, []).append({"key": key, "body": _encode(value).decode()})
        with self._engine.begin() as connection:
            for shelf, keys in gone.items():
                connection.execute(sql.text(f'DELETE FROM "{shelf}" WHERE key = :key'), keys)
            for shelf, values in kept.items():
                connection.execute(sql.text(_UPSERT.format(name=shelf)), values)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


_encode = msgspec.json.Encoder().encode
_UPSERT = 'INSERT INTO "{name}" (key, body) VALUES (:key, :body) ON CONFLICT (key) DO UPDATE SET body = excluded.body'
"""Keeps the place of a key that is there: values are read in the order in which their keys first came."""


def _engine(path: Path | None) -> sql.Engine:
    if path is None:
        return sql.create_engine("sqlite://", poolclass=sql.pool.StaticPool, connect_args={"check_same_thread": False})
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sql.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @sql.event.listens_for(engine, "connect")
    def pragmas(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    return engine
