"""The files of a journal: one JSON object a line, two generations, readable after any crash."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hanse.kit.contract.observe import Message
from hanse.kit.problems import bad_request

SUFFIX = ".jsonl"
OLDER = ".1"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Message)


def path_of(directory: Path, name: str) -> Path:
    """The newer file of the journal ``name``; a name that would lead out of the directory is a 400."""
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise bad_request("Journal name", f"give a plain file name without '/' or a leading dot; got {name!r}")
    return directory / f"{name}{SUFFIX}"


def files_in(directory: Path) -> list[Path]:
    """All journal files of a directory, every newer file before its older generation.

    In this order a rotation between two reads shows lines twice, which the reader undoes; in the other it would hide
    some.
    """
    newer = sorted(directory.glob(f"*{SUFFIX}"))
    return newer + sorted(directory.glob(f"*{SUFFIX}{OLDER}"))


def encode(message: Message) -> bytes:
    """One line, with its end; raises ``UnicodeEncodeError`` for text that is no Unicode (lone surrogates)."""
    return _encoder.encode(message) + b"\n"


def encode_lines(messages: Sequence[Message]) -> bytes:
    """A line for each; raises ``UnicodeEncodeError`` as ``encode`` does."""
    return _encoder.encode_lines(messages)


def decode(line: bytes) -> Message | None:
    """The message of a line, or ``None`` if the line is torn or foreign."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


class JournalFile:
    """Appends lines to a file and keeps one older generation of it; used by one thread.

    Both files stay below ``limit`` bytes, unless a single batch is larger. What ``append`` has returned from survives
    the end of the process, but not that of the machine: nothing is synced to the disk.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self.limit = limit
        self._descriptor: int | None = None
        self._size = 0

    def append(self, lines: bytes) -> None:
        """Write whole lines; an ``OSError`` leaves the file fit for the next try."""
        try:
            self._make_room(len(lines))
            self._write(lines)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file; the next append opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _make_room(self, length: int) -> None:
        if self._descriptor is not None and os.fstat(self._descriptor).st_nlink == 0:
            self.close()  # somebody tidied up; begin a new file instead of writing into nowhere
        if self._descriptor is None:
            self._open()
        if self._size and self._size + length > self.limit:
            self.close()
            self.path.rename(self.path.with_name(self.path.name + OLDER))
            self._open()

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._size = os.fstat(self._descriptor).st_size
        if self._size and os.pread(self._descriptor, 1, self._size - 1) != b"\n":
            self._write(b"\n")  # a crash tore the last line: keep the next one apart from it

    def _write(self, data: bytes) -> None:
        assert self._descriptor is not None
        while data:
            written = os.write(self._descriptor, data)
            self._size += written
            data = data[written:]
