"""The journal: an observer that writes every message down without ever holding up the one who calls."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from hanse.kit.contract.observe import Message
from hanse.kit.telemetry.journal_file import JournalFile, encode, encode_lines, path_of

CAPACITY = 20_000
"""Messages that may wait for the writer; beyond that the oldest are dropped."""

LIMIT = 16 * 1024 * 1024
"""Bytes of one file; there are two."""

PAUSE = 0.02
"""Seconds between two batches: what a SIGKILL may cost, besides the time of one write."""

_log = logging.getLogger(__name__)


class Journal:
    """Appends each message as a line to ``<directory>/<name>.jsonl``; the name belongs to one process at a time.

    ``saw`` only queues; a thread encodes and writes in batches. ``flush`` and ``close`` wait for the disk and are not
    for the event loop (``await asyncio.to_thread(journal.close)``). ``lost`` counts what was dropped because the queue
    was full, the journal closed or the disk unwilling.
    """

    def __init__(self, directory: Path, name: str, *, capacity: int = CAPACITY, limit: int = LIMIT) -> None:
        self.path = path_of(directory, name)
        self.lost = 0
        self._file = JournalFile(self.path, limit)
        self._capacity = capacity
        self._waiting: deque[Message] = deque()
        self._taken = 0  # messages that entered the queue
        self._settled = 0  # messages that left it for good: written or lost
        self._closed = False
        lock = threading.Lock()
        self._news = threading.Condition(lock)
        self._progress = threading.Condition(lock)
        self._hurry = threading.Event()
        self._writer = threading.Thread(target=self._run, name=f"journal {name}", daemon=True)
        self._writer.start()

    def saw(self, message: Message) -> None:
        """Queue a message for the writer; costs about a microsecond."""
        with self._news:
            if self._closed:
                self.lost += 1
                return
            if len(self._waiting) >= self._capacity:
                self._waiting.popleft()
                self._settle(1, lost=1)
            self._waiting.append(message)
            self._taken += 1
            if len(self._waiting) == 1:
                self._news.notify()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all messages seen so far are written (or lost); ``False`` if ``timeout`` seconds were too few."""
        self._hurry.set()
        with self._progress:
            goal = self._taken
            return self._progress.wait_for(lambda: self._settled >= goal, timeout)

    def close(self) -> None:
        """Write what waits and end the writer; may be called twice."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._hurry.set()
        self._writer.join(timeout=5.0)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self) -> None:
        while batch := self._next_batch():
            written = self._write(batch)
            with self._progress:
                self._settle(len(batch), lost=len(batch) - written)
                self._progress.notify_all()
            self._hurry.wait(PAUSE)
        self._file.close()

    def _next_batch(self) -> deque[Message]:
        """All that waits; nothing only once the journal is closed."""
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._closed)
            batch, self._waiting = self._waiting, deque()
            if not self._closed:
                self._hurry.clear()
            return batch

    def _write(self, batch: deque[Message]) -> int:
        lines, count = _encoded(batch)
        try:
            self._file.append(lines)
        except OSError as error:
            _log.warning("journal %s: %d messages not written: %s", self.path, count, error)
            return 0
        return count

    def _settle(self, count: int, *, lost: int) -> None:
        self._settled += count
        self.lost += lost


def _encoded(batch: deque[Message]) -> tuple[bytes, int]:
    """The lines of a batch, and how many they are: in one go, unless one of them must be left out."""
    messages = list(batch)
    try:
        return encode_lines(messages), len(messages)
    except (UnicodeEncodeError, TypeError):
        lines = _lines(messages)
        return b"".join(lines), len(lines)


def _lines(batch: Iterable[Message]) -> list[bytes]:
    lines = []
    for message in batch:
        try:
            lines.append(encode(message))
        except (UnicodeEncodeError, TypeError) as error:  # nothing that a caller sends may end the writer
            _log.warning("a message of %s is not written: %s", message.operation, error)
    return lines
