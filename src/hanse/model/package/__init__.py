"""Application packages: CSAR archives, built, signed and verified (ETSI GS MEC 037 V3.2.1, NFV-SOL 004)."""

from hanse.model.package.archive import Limits
from hanse.model.package.build import build
from hanse.model.package.images import extract_image, unpack_image
from hanse.model.package.members import descriptor_archive, descriptor_files, member_chunks
from hanse.model.package.values import Package, PackageImage
from hanse.model.package.verify import verify

__all__ = [
    "Limits",
    "Package",
    "PackageImage",
    "build",
    "descriptor_archive",
    "descriptor_files",
    "extract_image",
    "member_chunks",
    "unpack_image",
    "verify",
]
