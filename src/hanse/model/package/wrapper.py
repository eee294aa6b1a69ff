"""A package as it arrives: a CSAR, or a CSAR with its signature in an outer archive (NFV-SOL 004, 5.1, option 2)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hanse.kit.problems import bad_request
from hanse.model.package import tosca_meta
from hanse.model.package.archive import CHUNK, Archive, Limits, open_archive


@dataclass(frozen=True)
class Outer:
    """The outer archive and the names in it; ``certificate`` is empty where it is inside the signature."""

    archive: Archive
    csar: str
    signature: str
    certificate: str


@dataclass(frozen=True)
class Opened:
    """An opened package: the archive with TOSCA.meta, and the one around it if there is one."""

    archive: Archive
    outer: Outer | None


@contextmanager
def open_package(path: Path, limits: Limits | None = None) -> Iterator[Opened]:
    """Open the package at ``path``; the inner archive of option 2 is unpacked to a file that vanishes afterwards."""
    limits = limits or Limits()
    with open_archive(path, limits) as archive:
        if tosca_meta.PATH in archive:
            yield Opened(archive, None)
            return
        outer = _outer(archive)
        with tempfile.TemporaryFile(prefix="hanse-csar-") as inner:
            with archive.open(outer.csar) as stream:
                shutil.copyfileobj(stream, inner, CHUNK)
            inner.seek(0)
            with open_archive(inner, limits) as opened:
                yield Opened(opened, outer)


def _outer(archive: Archive) -> Outer:
    csars = [name for name in archive.names if name.endswith(".csar")]
    if len(csars) != 1:
        raise bad_request(f"{tosca_meta.PATH} is missing", "a package has it, or holds one .csar with its signature")
    stem = PurePosixPath(csars[0]).stem
    signature, certificate = f"{stem}.cms", f"{stem}.cert"
    if signature not in archive:
        raise bad_request(f"{signature} is missing", f"it must hold the signature of {csars[0]}")
    strange = set(archive.names) - {csars[0], signature, certificate}
    if strange:
        detail = f"beside {csars[0]} there may be {signature} and {certificate}"
        raise bad_request(f"{min(strange)} does not belong into the outer archive", detail)
    return Outer(archive, csars[0], signature, certificate if certificate in archive else "")
