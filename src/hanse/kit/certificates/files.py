"""Files that are there complete or not at all, whoever else writes them and whenever the power goes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem


@effect("certificates.create")
def create(path: Path, content: bytes, *, mode: int) -> bool:
    """Write a new file; ``False``, and nothing changed, if another process was faster. Blocks."""
    with explained(path), _draft(path, content, mode) as draft:
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        _settle(path.parent)
    return True


@effect("certificates.replace")
def replace(path: Path, content: bytes, *, mode: int) -> None:
    """Put a file in the place of another in one step: a reader finds the old one or the new one. Blocks."""
    with explained(path), _draft(path, content, mode) as draft:
        os.replace(draft, path)
        _settle(path.parent)


def make_directory(path: Path) -> None:
    """Make a directory and its parents, where they are not there."""
    with explained(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's errors about a file into a problem that names it (500)."""
    try:
        yield
    except OSError as error:
        detail = f"{error.strerror or error}; the user that runs hanse must be able to read and write it"
        raise Problem(500, f"File {path}", detail) from error


@contextmanager
def _draft(path: Path, content: bytes, mode: int) -> Iterator[str]:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600 from its first moment
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        yield draft
    finally:
        Path(draft).unlink(missing_ok=True)


def _settle(directory: Path) -> None:
    """Have the directory entry on the disk: a certificate must not outlive a power cut that takes its key."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
