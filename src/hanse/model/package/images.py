"""Image archives: packed so that the same files give the same bytes, and unpacked without harm."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, Literal

from hanse.kit.problems import Problem, bad_request, conflict
from hanse.model.package.archive import CHUNK, Limits, folded, safe_name
from hanse.model.package.wrapper import open_package

IGNORED: Final = ("__pycache__",)
_LARGEST_HEADER: Final = 64 * 1024
_UNREADABLE: Final = (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, ValueError, UnicodeError)


def pack_image(directory: Path, out: Path) -> None:
    """Pack a directory as tar.gz: sorted, without times, owners or caches; of modes only "executable" is kept."""
    with (
        out.open("wb") as raw,
        gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in image_files(directory):
            _add(archive, path, path.relative_to(directory).as_posix())


def image_files(directory: Path) -> list[Path]:
    """The files of an image, sorted. A link to a directory stands for what is in it: parts that images share."""
    found = []
    for place, directories, names in os.walk(directory, followlinks=True):
        directories[:] = sorted(name for name in directories if name not in IGNORED)
        _check_no_loop(directory, Path(place))
        for name in names:
            path = Path(place) / name
            if path.is_symlink() or not path.is_file():
                raise bad_request(f"{path} is not a plain file", "images hold files and directories; copy the file")
            found.append(path)
    return sorted(found, key=lambda path: path.relative_to(directory).as_posix())


def _check_no_loop(top: Path, place: Path) -> None:
    real = place.resolve()
    above = [parent.resolve() for parent in place.parents if parent == top or top in parent.parents]
    if place != top and real in above:
        raise bad_request(f"{place} leads to itself", "a link must not lead to a directory that it is in")


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = path.stat().st_size
    entry.mode = 0o755 if os.access(path, os.X_OK) else 0o644
    with path.open("rb") as stream:
        archive.addfile(entry, stream)


def extract_image(path: Path, member: str, target_dir: Path, limits: Limits | None = None) -> None:
    """Unpack the image archive ``member`` of the package at ``path`` into ``target_dir``, wholly or not at all.

    ``target_dir`` must be empty or not exist (409). Links, devices, unsafe or colliding names and bombs are refused
    (400). Files get mode 0644, or 0755 if they are executable.
    """
    limits = limits or Limits()
    with _wholly(target_dir) as partial, open_package(path, limits) as opened, opened.archive.open(member) as stream:
        _unpack(member, stream, partial, limits, _bound(limits, opened.archive.size(member)))


def unpack_image(path: Path, target_dir: Path, limits: Limits | None = None) -> None:
    """Unpack an image archive (tar.gz) that lies in a file of its own; see `extract_image`."""
    limits = limits or Limits()
    with _wholly(target_dir) as partial, path.open("rb") as stream:
        _unpack("image.tar.gz", stream, partial, limits, _bound(limits, path.stat().st_size))


def _bound(limits: Limits, packed: int) -> int:
    return min(limits.ratio * max(packed, CHUNK), limits.total)


@contextmanager
def _wholly(target_dir: Path) -> Iterator[Path]:
    """A directory that becomes ``target_dir`` if all goes well, and vanishes otherwise."""
    if target_dir.exists() and any(target_dir.iterdir()):
        raise conflict(f"{target_dir} is not empty", "an image is unpacked into an empty directory")
    target_dir.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target_dir.name}.", dir=target_dir.parent))
    try:
        yield partial
        partial.chmod(0o755)
        partial.replace(target_dir)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


class _CarefulTarInfo(tarfile.TarInfo):
    """Refuses huge extended headers before tarfile reads them into memory."""

    _HEADERS: Final = (
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    )

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type in self._HEADERS and self.size > _LARGEST_HEADER:
            raise tarfile.ReadError("a header is too large")
        return super()._proc_member(archive)  # type: ignore[misc]


@contextmanager
def _tar(member: str, stream: IO[bytes]) -> Iterator[tarfile.TarFile]:
    mode: Literal["r|gz", "r|"] = "r|gz" if member.endswith(("gz", "gzip")) else "r|"
    try:
        with tarfile.open(fileobj=stream, mode=mode, tarinfo=_CarefulTarInfo) as archive:
            yield archive
    except _UNREADABLE as error:
        raise bad_request(f"{member} is not a sound tar archive", f"it cannot be unpacked: {error}") from None


def _unpack(member: str, stream: IO[bytes], target: Path, limits: Limits, bound: int) -> None:
    seen: set[str] = set()
    left = bound
    with _tar(member, stream) as archive:
        for count, entry in enumerate(archive, 1):
            _check_entry(member, entry, seen)
            left -= entry.size
            if left < 0 or count > limits.members:
                raise _refused(member, entry.name, f"more than {bound} bytes or {limits.members} files unpacked")
            try:
                _write(archive, entry, target / entry.name)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise _refused(member, entry.name, "a file and a directory have the same name") from None


def _check_entry(member: str, entry: tarfile.TarInfo, seen: set[str]) -> None:
    name = entry.name.removeprefix("./")
    entry.name = name
    if entry.isdir() and name in (".", ""):
        entry.name = ""
        return
    if why := safe_name(name):
        raise _refused(member, name, why)
    if not (entry.isreg() or entry.isdir()) or entry.issparse():
        raise _refused(member, name, "it is a link, a device or sparse; pack plain files")
    if folded(name) in seen and not entry.isdir():
        raise _refused(member, name, "two entries would be one file on some systems")
    seen.add(folded(name))


def _refused(member: str, name: str, why: str) -> Problem:
    return bad_request(f"{member}: {name} is not unpacked", why)


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> None:
    if entry.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    source = archive.extractfile(entry)
    with path.open("xb") as out:
        if source is not None:
            shutil.copyfileobj(source, out, CHUNK)
    path.chmod(0o755 if entry.mode & 0o111 else 0o644)
