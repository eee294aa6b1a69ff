"""The source directory of a package: its files, its images packed, its descriptors filled in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hanse.kit.problems import bad_request
from hanse.model.descriptor.tosca.document import Unreadable, load
from hanse.model.package.archive import CHUNK
from hanse.model.package.images import image_files, pack_image

CHANGE_LOG: Final = "ChangeLog.txt"
DEFINITIONS: Final = "Definitions"
IMAGES: Final = "Artifacts/Images"
OPTIONAL: Final = ("Licenses", "Tests", "Artifacts")
_PLACEHOLDER: Final = re.compile(rb"@(sha256|size)\(([^()\s]+)\)")
_DATE: Final = re.compile(r"\b\d{4}-\d\d-\d\d\b")


def collect(directory: Path, staging: Path) -> dict[str, Path]:
    """All files of the package but manifest and TOSCA.meta, by path in the archive; made ones are in ``staging``."""
    for needed in (DEFINITIONS, CHANGE_LOG):
        if not (directory / needed).exists():
            raise bad_request(f"{directory / needed} is missing", "a package has Definitions/ and ChangeLog.txt")
    files = {CHANGE_LOG: directory / CHANGE_LOG}
    images = directory / IMAGES
    for folder in (DEFINITIONS, *OPTIONAL):
        for path in image_files(directory / folder) if (directory / folder).is_dir() else []:
            if images in path.parents and path.parent != images:
                continue
            files[path.relative_to(directory).as_posix()] = path
    for name, path in _packed(images, staging):
        files[name] = path
    for name in [name for name in files if name.startswith(f"{DEFINITIONS}/")]:
        files[name] = _filled(name, files, staging)
    return files


def _packed(images: Path, staging: Path) -> Iterator[tuple[str, Path]]:
    directories = sorted(path for path in images.iterdir() if path.is_dir()) if images.is_dir() else []
    for directory in directories:
        name = f"{IMAGES}/{directory.name}.tar.gz"
        if (images / f"{directory.name}.tar.gz").exists():
            raise bad_request(f"{name} is there twice", f"as a file and as the directory {directory}; keep one")
        out = staging / name
        out.parent.mkdir(parents=True, exist_ok=True)
        pack_image(directory, out)
        yield name, out


def _filled(name: str, files: dict[str, Path], staging: Path) -> Path:
    """The definition file with ``@sha256(path)`` and ``@size(path)`` replaced by what they name."""

    def fill(match: re.Match[bytes]) -> bytes:
        path = match[2].decode()
        if path not in files:
            known = ", ".join(sorted(known for known in files if known.startswith(IMAGES)))
            raise bad_request(f"{name}: {path} is missing", f"{match[0].decode()} names no file; images are: {known}")
        return (sha256(files[path]) if match[1] == b"sha256" else f"{files[path].stat().st_size} B").encode()

    out = staging / name
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(_PLACEHOLDER.sub(fill, files[name].read_bytes()))
    return out


def sha256(path: Path) -> str:
    """The hexadecimal digest of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def main_definition(files: dict[str, Path]) -> str:
    """The one definition file with a topology template."""
    candidates = [name for name in files if name.startswith(f"{DEFINITIONS}/") and name.endswith((".yaml", ".yml"))]
    found = []
    for name in candidates:
        try:
            if "topology_template" in load(files[name].read_bytes()):
                found.append(name)
        except Unreadable as error:
            raise bad_request(f"{name} is unreadable", str(error)) from None
    if len(found) != 1:
        detail = f"one file in {DEFINITIONS}/ has a topology_template, not {len(found)}: {', '.join(found)}"
        raise bad_request(f"{DEFINITIONS}/ has no single main file", detail)
    return found[0]


def released(files: dict[str, Path]) -> datetime:
    """The first date in the change log, so that the same sources make the same package."""
    text = files[CHANGE_LOG].read_text(encoding="utf-8", errors="replace")
    for match in _DATE.finditer(text):
        try:
            return datetime.fromisoformat(match[0]).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise bad_request(f"{CHANGE_LOG} has no date", "write the date of the release at its top, like 2025-01-15")
