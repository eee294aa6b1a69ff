"""ZIP archives from strangers: nothing is read before names, kinds and sizes are known to be harmless."""

from __future__ import annotations

import hashlib
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from hanse.kit.problems import Problem, bad_request
from hanse.kit.values import Value

CHUNK: Final = 1024 * 1024
_ODD: Final = re.compile(r"[\x00-\x1f\x7f\\:]")
_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError)


class Limits(Value):
    """Bounds on an archive: bytes unpacked (all, and of a text file), members, and bytes out for one byte in."""

    total: int = 4 * 1024**3
    text: int = 1024**2
    members: int = 10_000
    ratio: int = 200


class Archive:
    """An archive that was found harmless; members are read as streams, or whole if they are texts."""

    def __init__(self, source: zipfile.ZipFile, limits: Limits) -> None:
        self._zip = source
        self._limits = limits
        self._members = {info.filename: info for info in source.infolist() if not info.is_dir()}

    @property
    def names(self) -> tuple[str, ...]:
        """Paths of all files."""
        return tuple(self._members)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """Bytes of a member, unpacked."""
        return self._members[name].file_size

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A member as a stream; 400 if there is none or it is damaged."""
        if name not in self._members:
            raise bad_request(f"{name} is not in the archive", "the file must be a member of the package")
        try:
            member = self._zip.open(self._members[name])
        except (OSError, ValueError, *_UNREADABLE) as error:
            raise _damaged(name, error) from None
        try:
            with member as stream:
                yield stream
        except _UNREADABLE as error:
            raise _damaged(name, error) from None

    def text(self, name: str) -> bytes:
        """A small member, whole."""
        with self.open(name) as stream:
            if self.size(name) > self._limits.text:
                raise bad_request(f"{name} is too large", f"at most {self._limits.text} bytes are read of it")
            return stream.read()

    def digest(self, name: str, algorithm: str = "sha256") -> str:
        """The hexadecimal digest of a member, read in pieces."""
        digest = hashlib.new(algorithm)
        with self.open(name) as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()


def _damaged(name: str, error: Exception) -> Problem:
    return bad_request(f"{name} is damaged", f"it cannot be unpacked ({error}); pack it again")


@contextmanager
def open_archive(source: Path | IO[bytes], limits: Limits | None = None) -> Iterator[Archive]:
    """Open an archive after looking at its directory; 400 says which member is at fault."""
    limits = limits or Limits()
    try:
        opened = zipfile.ZipFile(source)
    except (OSError, ValueError, *_UNREADABLE) as error:
        raise bad_request("The package is not a ZIP archive", f"it cannot be opened: {error}") from None
    with opened:
        _check_members(opened.infolist(), limits)
        yield Archive(opened, limits)


def safe_name(name: str) -> str:
    """Why a path must not be unpacked; empty if it may."""
    if name.startswith("/"):
        return "it is an absolute path"
    if _ODD.search(name):
        return "it has a control character, a colon or a backslash"
    if any(part in ("", ".", "..") for part in name.removesuffix("/").split("/")):
        return "it has an empty part, `.` or `..`"
    return ""


def folded(name: str) -> str:
    """The name as a file system that ignores case and composes accents sees it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).removesuffix("/")


def _check_members(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > limits.members:
        raise bad_request("The package has too many members", f"at most {limits.members}, not {len(members)}")
    total = sum(info.file_size for info in members)
    if total > limits.total:
        raise bad_request("The package is too large", f"at most {limits.total} bytes unpacked, not {total}")
    for info in members:
        _check_member(info, limits)
    _check_collisions(members)


def _check_member(info: zipfile.ZipInfo, limits: Limits) -> None:
    if why := safe_name(info.orig_filename):
        raise bad_request(f"{info.orig_filename!r} is not a safe path", f"{why}; use relative paths below the root")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise bad_request(f"{info.filename} is not a plain file", "links and devices are not unpacked; pack the file")
    if info.flag_bits & 0x1:
        raise bad_request(f"{info.filename} is encrypted", "pack it without a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise bad_request(f"{info.filename} has an unknown compression", "store or deflate it")
    if info.file_size > CHUNK and info.file_size > limits.ratio * max(info.compress_size, 1):
        detail = f"more than {limits.ratio} bytes for one; {info.compress_size} become {info.file_size}"
        raise bad_request(f"{info.filename} unpacks to too much", detail)


def _check_collisions(members: list[zipfile.ZipInfo]) -> None:
    files: dict[str, str] = {}
    for info in members:
        name = folded(info.filename)
        if name in files:
            raise _collision(info.filename, files[name])
        files[name] = info.filename
    for name, written in files.items():
        parent = name.rpartition("/")[0]
        while parent:
            if parent in files and not files[parent].endswith("/"):
                raise _collision(written, files[parent])
            parent = parent.rpartition("/")[0]


def _collision(one: str, other: str) -> Problem:
    return bad_request(f"{one} collides with {other}", "two members would be one file on some systems; rename one")
