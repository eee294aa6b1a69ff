"""Application package management (ETSI GS MEC 010-2 V3.1.1, 7.3)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from hanse.kit.contract.declare import Accepted, Api, Created, Stream, delete, get, patch, post, put
from hanse.kit.contract.listing import Lists
from hanse.kit.problems import ProblemDetails
from hanse.kit.values import ABSENT, Absent, Link, Value


class OnboardingState(StrEnum):
    """How far a package has come (6.2.3.3); there is no failed state: a failure leads back to CREATED."""

    CREATED = "CREATED"
    UPLOADING = "UPLOADING"
    PROCESSING = "PROCESSING"
    ONBOARDED = "ONBOARDED"


class PackageOperationalState(StrEnum):
    """Whether instances may be made of it (6.2.3.3)."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class UsageState(StrEnum):
    """Whether there are instances of it (6.2.3.3)."""

    IN_USE = "IN_USE"
    NOT_IN_USE = "NOT_IN_USE"


class Checksum(Value):
    """A digest: SHA-256 or SHA-512, in hexadecimal digits (6.2.5.6)."""

    algorithm: str
    hash: str


class CreateAppPkg(Value):
    """What a package is announced with (6.2.3.2)."""

    app_pkg_name: str
    app_pkg_version: str
    checksum: Checksum
    app_pkg_path: str
    app_provider: str | Absent = ABSENT
    user_defined_data: dict[str, Any] | Absent = ABSENT


class SoftwareImage(Value):
    """A software image of a package; the standard leaves its attributes open (6.2.3.3, note 1)."""

    id: str
    name: str
    size: int
    checksum: Checksum
    image_path: str


class PackageLinks(Value):
    """Links of a package (6.2.3.3)."""

    self: Link
    app_d: Link = msgspec.field(name="appD")
    app_pkg_content: Link = msgspec.field(name="appPkgContent")


class AppPkgInfo(Value):
    """A package as the system knows it (6.2.3.3). What the descriptor tells is absent until it has been read."""

    id: str
    checksum: Checksum
    onboarding_state: OnboardingState
    operational_state: PackageOperationalState
    usage_state: UsageState
    links: PackageLinks = msgspec.field(name="_links")
    app_d_id: str | Absent = msgspec.field(default=ABSENT, name="appDId")
    app_provider: str | Absent = ABSENT
    app_name: str | Absent = ABSENT
    app_software_version: str | Absent = ABSENT
    app_d_version: str | Absent = msgspec.field(default=ABSENT, name="appDVersion")
    software_images: tuple[SoftwareImage, ...] | Absent = ABSENT
    mec_info: tuple[str, ...] | Absent = ABSENT
    user_defined_data: dict[str, Any] | Absent = ABSENT
    onboarding_failure_details: ProblemDetails | Absent = ABSENT


class AppPkgInfoModifications(Value):
    """The one thing that may be changed of a package (6.2.3.8)."""

    operational_state: PackageOperationalState


PACKAGES = Lists(left_out=("checksum", "softwareImages"))
"""What a list of packages leaves out by default (7.3.1.3.2); additionalArtifacts, which it names too, we have none."""


MERGE = "application/json application/merge-patch+json"
"""What a change of a package may come as: the standard does not say."""


class PackageManagement(Api, bases=("/app_pkgm/v1",)):
    """Package management (7.3): announce, upload, read, enable, disable, delete.

    Every resource is there twice (7.2): by the id of a package, and, once it is on-boarded, by that of its descriptor.
    """

    @post("/app_packages")
    async def create_package(self, package: CreateAppPkg) -> Created[AppPkgInfo]:
        """Announce a package; its content is uploaded afterwards (7.3.1.3.1)."""

    @get("/app_packages", lists=PACKAGES)
    async def list_packages(self) -> list[AppPkgInfo]:
        """All packages of the caller (7.3.1.3.2)."""

    @get("/app_packages/{app_pkg_id}")
    async def read_package(self, app_pkg_id: str) -> AppPkgInfo:
        """One package (7.3.2.3.2)."""

    @patch("/app_packages/{app_pkg_id}", refuses=(400, 401, 403, 404, 409), consumes=MERGE)
    async def modify_package(self, app_pkg_id: str, change: AppPkgInfoModifications) -> AppPkgInfoModifications:
        """Enable or disable a package; a repeat is a conflict (7.3.2.3.5)."""

    @delete("/app_packages/{app_pkg_id}")
    async def delete_package(self, app_pkg_id: str) -> None:
        """Delete a package that is disabled and not in use, or was never on-boarded (7.3.2.3.4)."""

    @put(
        "/app_packages/{app_pkg_id}/package_content",
        success=202,
        refuses=(400, 401, 403, 404, 409),
        consumes="application/zip",
    )
    async def upload_content(self, app_pkg_id: str, content: Stream) -> Accepted:
        """Upload the archive; it is checked afterwards (7.3.7.3.3)."""

    @get("/app_packages/{app_pkg_id}/package_content", refuses=(400, 401, 403, 404, 416))
    async def download_content(self, app_pkg_id: str) -> Stream:
        """The archive as it was on-boarded, or one range of its bytes (7.3.7.3.2)."""

    @get("/app_packages/{app_pkg_id}/appd", refuses=(400, 401, 403, 404, 416))
    async def read_descriptor(self, app_pkg_id: str) -> Stream:
        """The descriptor: text if it is a single file, or an archive of its files, by Accept (7.3.6.3.2)."""

    @put("/app_packages/{app_pkg_id}/appd", success=204)
    async def replace_descriptor(self, app_pkg_id: str) -> None:
        """Always 403: a descriptor is what its provider signed (7.3.6.3.3)."""

    @post("/onboarded_app_packages")
    async def create_onboarded(self, package: CreateAppPkg) -> Created[AppPkgInfo]:
        """Announce a package; it is found by its own id until it is on-boarded (7.3.1.3.1)."""

    @get("/onboarded_app_packages", lists=PACKAGES)
    async def list_onboarded(self) -> list[AppPkgInfo]:
        """The packages that are on-boarded (7.3.1.3.2)."""

    @get("/onboarded_app_packages/{app_d_id}")
    async def read_onboarded(self, app_d_id: str) -> AppPkgInfo:
        """The on-boarded package of a descriptor (7.3.2.3.2)."""

    @patch("/onboarded_app_packages/{app_d_id}", refuses=(400, 401, 403, 404, 409), consumes=MERGE)
    async def modify_onboarded(self, app_d_id: str, change: AppPkgInfoModifications) -> AppPkgInfoModifications:
        """Enable or disable a package; a repeat is a conflict (7.3.2.3.5)."""

    @delete("/onboarded_app_packages/{app_d_id}")
    async def delete_onboarded(self, app_d_id: str) -> None:
        """Delete a package that is disabled and not in use (7.3.2.3.4)."""

    @put(
        "/onboarded_app_packages/{app_d_id}/package_content",
        success=202,
        refuses=(400, 401, 403, 404, 409),
        consumes="application/zip",
    )
    async def upload_onboarded(self, app_d_id: str, content: Stream) -> Accepted:
        """Always 409: what is on-boarded has its content (7.3.7.3.3)."""

    @get("/onboarded_app_packages/{app_d_id}/package_content", refuses=(400, 401, 403, 404, 416))
    async def download_onboarded(self, app_d_id: str) -> Stream:
        """The archive as it was on-boarded, or one range of its bytes (7.3.7.3.2)."""

    @get("/onboarded_app_packages/{app_d_id}/appd", refuses=(400, 401, 403, 404, 416))
    async def read_onboarded_descriptor(self, app_d_id: str) -> Stream:
        """The descriptor: text if it is a single file, or an archive of its files, by Accept (7.3.6.3.2)."""

    @put("/onboarded_app_packages/{app_d_id}/appd", success=204)
    async def replace_onboarded_descriptor(self, app_d_id: str) -> None:
        """Always 403: a descriptor is what its provider signed (7.3.6.3.3)."""
