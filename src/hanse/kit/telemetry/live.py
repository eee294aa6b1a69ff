"""Watching journals while they are written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import BinaryIO

from hanse.kit.contract.observe import Message
from hanse.kit.telemetry.journal_file import SUFFIX, decode

PERIOD = 0.1
"""Seconds between two looks."""

REMEMBERED = 10_000
"""Spans of which the other end's sighting is recognised."""


async def live(directories: Sequence[Path], *, period: float = PERIOD) -> AsyncGenerator[Message, None]:
    """Messages that are written from now on, each once an operator, for as long as the caller cares to look.

    A call inside an operator is told when its first end has written it down; a call across a border is told by
    both operators. Directories may come into being later. Whoever stops looking closes it (``contextlib.aclosing``).
    """
    watch = await asyncio.to_thread(Watch, directories)
    try:
        while True:
            for message in await asyncio.to_thread(watch.poll):
                yield message
            await asyncio.sleep(period)
    finally:
        watch.close()


class Watch:
    """Follows all journals of some directories; what is there when it begins is not told."""

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = directories
        self._tails: dict[Path, _Tail] = {}
        self._told: dict[tuple[str, str], None] = {}
        for path in self._paths():
            self._tails[path] = _Tail(path, at_end=True)

    def poll(self) -> list[Message]:
        """What was written since the last poll; reads files, so not for the event loop."""
        for path in self._paths():
            if path not in self._tails:
                self._tails[path] = _Tail(path)
        fresh = [m for tail in self._tails.values() for m in tail.messages() if self._first(m)]
        return sorted(fresh, key=lambda m: m.began)

    def close(self) -> None:
        """Let go of all files."""
        for tail in self._tails.values():
            tail.close()

    def _paths(self) -> list[Path]:
        return [path for directory in self._directories for path in sorted(directory.glob(f"*{SUFFIX}"))]

    def _first(self, message: Message) -> bool:
        key = (message.operator, message.span)
        if key in self._told:
            return False
        self._told[key] = None
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        return True


class _Tail:
    """The end of one journal, across its rotations."""

    def __init__(self, path: Path, *, at_end: bool = False) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._open()
        if at_end and self._file is not None:
            self._file.seek(0, os.SEEK_END)

    def messages(self) -> list[Message]:
        found = self._read()
        if self._replaced():
            found += self._read()  # the writer may have added lines between our look and its rename
            self.close()
            self._open()
            found += self._read()
        return found

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._rest = b""

    def _open(self) -> None:
        try:
            self._file = self._path.open("rb")
        except FileNotFoundError:
            self._file = None

    def _read(self) -> list[Message]:
        """Whole lines only; a line that is still being written waits for its end."""
        if self._file is None:
            return []
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return [message for line in lines if (message := decode(line)) is not None]

    def _replaced(self) -> bool:
        try:
            now = self._path.stat().st_ino
        except FileNotFoundError:
            return False  # in the middle of a rotation, or tidied away: what is open is still all there is
        return self._file is None or os.fstat(self._file.fileno()).st_ino != now
