"""Members of a verified package, for those who hand them on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from hanse.model.package import tosca_meta
from hanse.model.package.archive import CHUNK
from hanse.model.package.wrapper import open_package


def read_descriptor(path: Path) -> bytes:
    """The main AppD file of the package at ``path``; blocking."""
    with open_package(path) as opened:
        meta = tosca_meta.read_meta(opened.archive.text(tosca_meta.PATH))
        return opened.archive.text(meta.definitions)


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
