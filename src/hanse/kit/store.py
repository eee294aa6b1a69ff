"""The store: an element's records, committed together with the events that tell of them.

A `Shelf` holds values of one type by key. Decisions are plain functions over a `Transaction`; they run one after the
other on the event loop, see all earlier decisions, and are written by one thread that groups what has gathered into one
SQL transaction. Readers outside of a decision see only what is on disk. Every shelf is held in memory whole: reading
costs a dictionary look-up, no query. What is asked for by anything else than its key has an `Index`.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from hanse.kit.problems import Problem
from hanse.kit.shelf import Shelf, Transaction
from hanse.kit.shelf_index import Index

__all__ = ["Index", "Shelf", "Store", "Transaction"]

log = logging.getLogger("hanse.store")

T = TypeVar("T", bound=msgspec.Struct)
R = TypeVar("R")


class _Batch:
    """A decision on its way to the disk."""

    def __init__(self, number: int, transaction: Transaction) -> None:
        self.number = number
        self.after = transaction.after
        self.rows = [(shelf, key, value) for (_, key), (shelf, value) in transaction.changes.items()]
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self.loop.create_future()
        for shelf, key, value in self.rows:
            shelf.stage(number, key, value)

    def settle(self, fault: str | None) -> None:
        """Let readers see what is on disk now; runs on the event loop, also if nobody waits any more."""
        for shelf, key, value in self.rows:
            shelf.settle(self.number, key, value, kept=fault is None)
        if fault is None:
            _run(self.after)
            self.done.set_result(None)
        else:
            self.done.set_exception(Problem(507, "The store cannot be written", fault))


class Store:
    """The shelves of one element in one SQLite file, or in memory for tests."""

    def __init__(self, path: Path | None = None) -> None:
        from hanse.kit.store_file import StoreFile  # SQLAlchemy takes half a second: a command line does without it

        self._file = StoreFile(path)
        self._shelves: set[str] = set()
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._numbers = 0
        self._refused_through = 0
        self._outstanding: dict[int, _Batch] = {}
        self._closed = False
        self._writer = threading.Thread(target=self._write_forever, name="hanse-store", daemon=True)
        self._writer.start()

    def shelf(self, name: str, kind: type[T]) -> Shelf[T]:
        """The shelf of that name, read from disk; asked for once, at start."""
        if name in self._shelves:
            raise ValueError(f"shelf {name} is there already")
        self._shelves.add(name)
        shelf = Shelf(name, kind)
        for key, body in self._file.read(name):
            shelf._durable[key] = _decoded(name, key, body, kind)
        return shelf

    async def commit(self, decide: Callable[[Transaction], R]) -> R:
        """Run a decision and return once it is on disk; a decision that raises changes nothing.

        A problem 507 if the disk takes no more; then nothing has changed either. Whoever is cancelled while it waits
        leaves its decision standing. A decision that changes nothing waits for those that it saw: they may yet fall.
        """
        if self._closed:
            raise Problem(503, "The store is closed", "the element is shutting down")
        transaction = Transaction()
        result = decide(transaction)
        if not transaction.changes and not self._outstanding:
            _run(transaction.after)
            return result
        self._numbers += 1
        batch = self._outstanding[self._numbers] = _Batch(self._numbers, transaction)
        self._queue.put(batch)
        await asyncio.shield(batch.done)
        return result

    def close(self) -> None:
        """Write what is queued and close the file."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._writer.join()
        self._file.close()

    def _write_forever(self) -> None:
        while True:
            batches = self._gathered()
            self._write([batch for batch in batches if batch is not None])
            if batches[-1] is None:
                return

    def _gathered(self) -> list[_Batch | None]:
        batches = [self._queue.get()]
        while batches[-1] is not None and not self._queue.empty():
            batches.append(self._queue.get())
        return batches

    def _write(self, batches: list[_Batch]) -> None:
        fresh = [batch for batch in batches if batch.number > self._refused_through]
        if not fresh:
            return
        fault = None
        try:
            if rows := {(shelf.name, key): value for batch in fresh for shelf, key, value in batch.rows}:
                self._file.write(rows)
        except Exception as error:
            fault = next(iter(str(error).splitlines()), type(error).__name__)
        self._settle(fresh, fault)

    def _settle(self, batches: list[_Batch], fault: str | None) -> None:
        settled = threading.Event()

        def on_loop() -> None:
            fallen = batches
            if fault is not None:  # whatever was decided on top of it falls too, at once
                self._refused_through = self._numbers
                fallen = list(self._outstanding.values())
            for batch in fallen:
                del self._outstanding[batch.number]
                batch.settle(fault)
            settled.set()

        try:
            batches[0].loop.call_soon_threadsafe(on_loop)
        except RuntimeError:  # the loop has ended: nobody waits for the answer any more
            return
        if fault is not None:
            settled.wait(timeout=10)


def _run(actions: list[Callable[[], None]]) -> None:
    for action in actions:
        try:
            action()
        except Exception:
            log.exception("what follows a commit failed; the commit stands")


def _decoded(name: str, key: str, body: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise Problem(500, f"Record {key} of {name}", f"is not what this version writes: {error}") from None
