"""Images come to the host's store as archives, are checked, and are laid open for the driver."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from hanse.elements.vim.records import StoredImage
from hanse.kit.contract.declare import Stream
from hanse.kit.problems import Problem, bad_request
from hanse.model.package import unpack_image
from hanse.refpoints.mm7 import Compute

IMAGE_LIMIT = 2 * 1024**3
"""Bytes of an image archive."""


class ProcessBundle(msgspec.Struct, frozen=True):
    """``process.json`` of an image that is run as a process: its command."""

    command: tuple[str, ...]


async def receive(archive: Stream, directory: Path) -> tuple[Path, str]:
    """Write an archive to a file as it comes; its path and SHA-256. Nothing is left if it fails."""
    directory.mkdir(parents=True, exist_ok=True)
    handle, name = await asyncio.to_thread(tempfile.mkstemp, ".part", "image-", directory)
    path, digest, size = Path(name), hashlib.sha256(), 0
    try:
        with os.fdopen(handle, "wb") as file:
            async for chunk in archive.chunks:
                size += len(chunk)
                if size > IMAGE_LIMIT:
                    raise Problem(413, "Image too large", f"at most {IMAGE_LIMIT} bytes are taken")
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Problem(507, "The image cannot be stored", str(error)) from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path, digest.hexdigest()


async def lay_open(path: Path, image_id: str, compute: Compute) -> StoredImage:
    """Unpack an archive, hand it to the driver, and learn its command."""
    directory = path.with_suffix(".d")
    try:
        await asyncio.to_thread(unpack_image, path, directory)
        command = await asyncio.to_thread(_command, directory)
        await compute.prepare(image_id, directory)
    finally:
        await asyncio.to_thread(shutil.rmtree, directory, True)
    return StoredImage(image_id=image_id, command=command)


def _command(directory: Path) -> tuple[str, ...]:
    file = directory / "process.json"
    if not file.is_file():
        raise bad_request("process.json missing", "an image for processes holds process.json with its command")
    try:
        return msgspec.json.decode(file.read_bytes(), type=ProcessBundle).command
    except msgspec.MsgspecError as error:
        raise bad_request("process.json is wrong", str(error)) from None
