"""What a verified application package holds."""

from __future__ import annotations

from pathlib import Path

from hanse.kit.values import Value
from hanse.model.descriptor.application import AppD
from hanse.model.package.manifest import Metadata


class PackageImage(Value):
    """A software image: ``path`` is in the archive, or a URL; size in bytes (0: unknown, it is outside)."""

    name: str
    path: str
    sha256: str
    size: int
    container_format: str
    supported_virtualisation_environments: tuple[str, ...] = ()


class Package(Value):
    """A package whose every byte was signed by ``signer`` (subject of the certificate, RFC 4514)."""

    path: Path
    appd: AppD
    metadata: Metadata
    images: tuple[PackageImage, ...]
    signer: str
