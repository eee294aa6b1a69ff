"""The image store: each image a directory of read-only files, taken in as a whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

import msgspec

from hanse.drivers.compute_process.names import identifier
from hanse.drivers.compute_process.record import write
from hanse.drivers.compute_process.trees import below, remove
from hanse.drivers.compute_process.troubles import translated
from hanse.kit.failpoints import effect
from hanse.kit.problems import bad_request, not_found
from hanse.refpoints.mm7 import Image

_NOTE, _FILES = "image.json", "files"


class Images:
    """Images by id: ``<directory>/<image_id>/files`` with its note ``image.json`` beside it. All methods block."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, image_id: str) -> Image:
        """The image of this id; 404 if it was never prepared, or is discarded."""
        note = self._directory / identifier("Image", image_id) / _NOTE
        try:
            return msgspec.json.decode(note.read_bytes(), type=Image)
        except FileNotFoundError:
            raise not_found("image", image_id) from None

    @effect("compute.image")
    def take(self, image_id: str, source: Path) -> Image:
        """Copy a directory, or a single file, into the store; an id that is there already is the image it is."""
        place = self._directory / identifier("Image", image_id)
        if not place.exists():
            _check(image_id, source)
            with translated(f"image {image_id}"):
                self._copy(image_id, source, place)
        return self.find(image_id)

    def _copy(self, image_id: str, source: Path, place: Path) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self._directory))
        try:
            files = draft / _FILES
            if source.is_dir():
                shutil.copytree(source, files, symlinks=True)
            else:
                files.mkdir()
                shutil.copy2(source, files / source.name)
            image = Image(image_id=image_id, path=str(place / _FILES), sha256=digest(files))
            _protect(files)
            write(str(draft / _NOTE), msgspec.json.encode(image))
            _settle(draft, place)
        finally:
            remove(draft)

    @effect("compute.discard")
    def drop(self, image_id: str) -> None:
        """Remove an image; an unknown one is no error."""
        with translated(f"removal of image {image_id}"):
            remove(self._directory / identifier("Image", image_id))

    def tidy(self) -> None:
        """Remove what a crash left half copied."""
        for draft in self._directory.glob(".draft-*"):
            with contextlib.suppress(OSError):
                remove(draft)


def digest(files: Path) -> str:
    """SHA-256 over the names, links, execute bits and contents of a tree, in the order of the names."""
    total = hashlib.sha256()
    for path in sorted(below(files)):
        total.update(f"{path.relative_to(files)}\0".encode())
        if path.is_symlink():
            total.update(f"link {os.readlink(path)}\0".encode())
        elif path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            total.update(f"file {path.stat().st_mode & stat.S_IXUSR} {content}\0".encode())
    return total.hexdigest()


def _check(image_id: str, source: Path) -> None:
    if not source.exists():
        raise bad_request(f"Image {image_id}: source", f"there is nothing at {source}; give a directory of files")
    for path in [source] if source.is_file() else below(source):
        _check_entry(image_id, path, source)


def _check_entry(image_id: str, path: Path, source: Path) -> None:
    """A link out of the image would share the host's files, a pipe or device would stall or drain the copy."""
    if path.is_symlink() and path != source:
        if Path(os.readlink(path)).is_absolute() or not path.resolve().is_relative_to(source.resolve()):
            raise bad_request(f"Image {image_id}: {path.name}", "a link must be relative and stay inside the image")
    elif not (path.is_file() or path.is_dir()):
        raise bad_request(f"Image {image_id}: {path.name}", "give files, directories and links only")


def _protect(files: Path) -> None:
    """Read-only, and on the disk before the image appears under its name."""
    for path in [files, *below(files)]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)


def _settle(draft: Path, place: Path) -> None:
    try:
        draft.rename(place)
    except OSError:
        if not place.exists():  # otherwise another copy of the same image came first
            raise
