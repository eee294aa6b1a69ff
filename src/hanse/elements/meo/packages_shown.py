"""Packages as a caller sees them (ETSI GS MEC 010-2 V3.1.1, 6.2.3.3)."""

from __future__ import annotations

import msgspec

from hanse.elements.meo.records import PackageRecord, visible
from hanse.kit.contract.call import current_call
from hanse.kit.problems import not_found
from hanse.kit.values import ABSENT, Link
from hanse.model.package import PackageImage
from hanse.refpoints.mm1.packages import AppPkgInfo, Checksum, PackageLinks, SoftwareImage, UsageState


def own_package(record: PackageRecord | None, identifier: str) -> PackageRecord:
    """The package, if the tenant of the current call may see it; otherwise it is not there (404)."""
    if record is None or not visible(current_call().tenant, record.tenant):
        raise not_found("application package", identifier)
    return record


def shown(record: PackageRecord, *, used: bool, base: str) -> AppPkgInfo:
    """The package; ``base`` is the URI below which the API is served, ``used`` whether there are instances of it."""
    here = f"{base}/app_packages/{record.id}"
    info = AppPkgInfo(
        id=record.id,
        checksum=record.checksum,
        onboarding_state=record.state,
        operational_state=record.operational,
        usage_state=UsageState.IN_USE if used else UsageState.NOT_IN_USE,
        user_defined_data=record.user_defined_data if record.user_defined_data is not None else ABSENT,
        onboarding_failure_details=record.failure or ABSENT,
        links=PackageLinks(
            self=Link(href=here), app_d=Link(href=f"{here}/appd"), app_pkg_content=Link(href=f"{here}/package_content")
        ),
    )
    appd = record.descriptor
    if appd is None:
        return info
    return msgspec.structs.replace(
        info,
        app_d_id=appd.app_d_id,
        app_provider=appd.app_provider,
        app_name=appd.app_name,
        app_software_version=appd.app_soft_version,
        app_d_version=appd.app_d_version,
        mec_info=appd.mec_versions,
        software_images=tuple(map(_image, record.images)),
    )


def _image(image: PackageImage) -> SoftwareImage:
    return SoftwareImage(
        id=image.name,
        name=image.name,
        size=image.size,
        checksum=Checksum(algorithm="SHA-256", hash=image.sha256),
        image_path=image.path,
    )
