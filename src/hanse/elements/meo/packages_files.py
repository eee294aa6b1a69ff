"""Archives of packages: files beside the store, taken in once and given out whole, in parts, or as descriptors."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from hanse.kit.contract.declare import Stream
from hanse.kit.problems import Problem
from hanse.model.package import descriptor_archive, descriptor_files

PACKAGE_LIMIT = 4 * 1024**3
"""Bytes of a package."""
CHUNK = 256 * 1024
ZIP, TEXT = "application/zip", "text/plain"


class PackageFiles:
    """A directory for each package, with its archive in it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def archive(self, app_pkg_id: str) -> Path:
        """Where the archive of a package lies, or would lie."""
        return self._directory / app_pkg_id / "content.csar"

    async def receive(self, app_pkg_id: str, content: Stream) -> None:
        """Take an archive in, whole or not at all; problems 413 beyond the limit, 507 if the disk does not take it."""
        target = self.archive(app_pkg_id)
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        part, size = target.with_suffix(".part"), 0
        try:
            with await asyncio.to_thread(part.open, "wb") as file:
                async for chunk in content.chunks:
                    size += len(chunk)
                    check_size(size)
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(file.flush)
                await asyncio.to_thread(os.fsync, file.fileno())
        except OSError as error:
            raise Problem(507, "The package cannot be stored", error.strerror or str(error)) from None
        await asyncio.to_thread(part.replace, target)

    async def content(self, app_pkg_id: str) -> Stream:
        """The archive as it came; one range of its bytes may be asked for (7.3.7.3.2)."""
        path = self.archive(app_pkg_id)
        size = await asyncio.to_thread(os.path.getsize, path)
        return Stream(_bytes(path, 0, size - 1), ZIP, size, part=lambda first, last: _bytes(path, first, last))

    async def descriptor(self, app_pkg_id: str) -> Stream:
        """The descriptor (7.3.6.3.2): its text if it is a single file, or else, and on request, an archive."""
        path = self.archive(app_pkg_id)
        files = await asyncio.to_thread(descriptor_files, path)
        archive = _whole(await asyncio.to_thread(descriptor_archive, path), ZIP)
        if len(files) > 1:
            return archive
        (text,) = files.values()
        return _whole(text, TEXT, (archive,))

    async def remove(self, app_pkg_id: str) -> None:
        """Remove all that is kept of a package."""
        await asyncio.to_thread(shutil.rmtree, self._directory / app_pkg_id, True)

    async def remove_strangers(self, known: Iterable[str]) -> None:
        """Remove what belongs to no package."""
        await asyncio.to_thread(_remove_strangers, self._directory, set(known))


def check_size(size: int) -> None:
    """413 if an archive of so many bytes is not taken."""
    if size > PACKAGE_LIMIT:
        detail = f"at most {PACKAGE_LIMIT} bytes are taken"
        raise Problem(413, "Package too large", detail, {"Connection": "close"})  # the rest is not read


def _remove_strangers(directory: Path, known: set[str]) -> None:
    for path in directory.iterdir() if directory.is_dir() else ():
        if path.name not in known:
            shutil.rmtree(path, ignore_errors=True)


async def _bytes(path: Path, first: int, last: int) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        file.seek(first)
        while (left := last + 1 - first) > 0 and (chunk := await asyncio.to_thread(file.read, min(CHUNK, left))):
            first += len(chunk)
            yield chunk


def _whole(content: bytes, media_type: str, others: tuple[Stream, ...] = ()) -> Stream:
    async def chunks(first: int, last: int) -> AsyncIterator[bytes]:
        yield content[first : last + 1]

    length = len(content)
    return Stream(chunks(0, length - 1), media_type, length, part=chunks, others=others)
