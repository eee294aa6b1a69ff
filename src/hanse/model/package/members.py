"""Members of a verified package, for those who hand them on."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

from hanse.model.descriptor.tosca import examine
from hanse.model.package import tosca_meta
from hanse.model.package.archive import CHUNK
from hanse.model.package.wrapper import open_package


def descriptor_files(path: Path) -> dict[str, bytes]:
    """The AppD files of the package at ``path`` by their names in it, the main one first; blocking.

    Only files that the main one imports, directly or not, belong to it.
    """
    with open_package(path) as opened:
        archive, files = opened.archive, dict[str, bytes]()

        def read(name: str) -> bytes | None:
            if name in archive:
                files[name] = archive.text(name)
            return files.get(name)

        examine(tosca_meta.read_meta(archive.text(tosca_meta.PATH)).definitions, read)
        return files


def descriptor_archive(path: Path) -> bytes:
    """A ZIP of the AppD files of the package at ``path`` and of TOSCA.meta, which tells the main one; blocking."""
    with open_package(path) as opened:
        files = {tosca_meta.PATH: opened.archive.text(tosca_meta.PATH)} | descriptor_files(path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


async def member_chunks(path: Path, member: str) -> AsyncIterator[bytes]:
    """A member of the package at ``path``, in pieces; 400 if there is none."""
    opening = open_package(path)
    opened = await asyncio.to_thread(opening.__enter__)
    try:
        reading = opened.archive.open(member)
        stream = await asyncio.to_thread(reading.__enter__)
        try:
            while chunk := await asyncio.to_thread(stream.read, CHUNK):
                yield chunk
        finally:
            await asyncio.to_thread(reading.__exit__, None, None, None)
    finally:
        await asyncio.to_thread(opening.__exit__, None, None, None)
