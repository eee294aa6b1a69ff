"""Sequences over Mx1 that every customer needs: on-board a package, bring an instance up, take it down."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

from hanse.kit.contract.call import UNTRACED, continuing
from hanse.kit.contract.declare import Accepted, Stream
from hanse.kit.problems import Problem, ProblemDetails, bad_request
from hanse.kit.values import Absent
from hanse.model.place import Position
from hanse.refpoints.mm1.lifecycle import (
    AppLcmOpOcc,
    CreateAppInstanceRequest,
    InstantiateAppRequest,
    InstantiationState,
    Lifecycle,
    LocationConstraints,
    OperationState,
    StopType,
    TerminateAppRequest,
)
from hanse.refpoints.mm1.packages import (
    AppPkgInfo,
    AppPkgInfoModifications,
    Checksum,
    CreateAppPkg,
    OnboardingState,
    PackageManagement,
    PackageOperationalState,
)

CHUNK = 256 * 1024


async def on_board(packages: PackageManagement, archive: Path, patience: float = 60.0) -> AppPkgInfo:
    """Announce, upload and wait; a problem tells why a package was not taken, and it is removed again."""
    size, digest = await asyncio.to_thread(_measure, archive)
    created = await packages.create_package(
        CreateAppPkg(
            app_pkg_name=archive.stem,
            app_pkg_version="1",
            checksum=Checksum(algorithm="SHA-256", hash=digest),
            app_pkg_path=archive.name,
        )
    )
    identifier = created.value.id
    try:
        await packages.upload_content(identifier, Stream(_chunks(archive), "application/zip", size))
        return await _checked(packages, identifier, time.monotonic() + patience)
    except Problem:
        await packages.delete_package(identifier)
        raise


async def _checked(packages: PackageManagement, identifier: str, deadline: float) -> AppPkgInfo:
    while time.monotonic() < deadline:
        with continuing(UNTRACED):
            info = await packages.read_package(identifier)
        if info.onboarding_state is OnboardingState.ONBOARDED:
            return info
        if info.onboarding_state is OnboardingState.CREATED:
            failure = info.onboarding_failure_details
            if isinstance(failure, ProblemDetails):
                raise Problem(failure.status, failure.title, failure.detail)
        await asyncio.sleep(0.05)
    raise Problem(504, "Package is not checked in time", "hanse package list shows its state")


async def bring_up(lifecycle: Lifecycle, app_d_id: str, where: Position | None = None, patience: float = 60.0) -> str:
    """Create and instantiate; the instance's id, once it is STARTED. What failed is deleted again."""
    created = await lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=app_d_id))
    identifier = created.value.id
    request = InstantiateAppRequest() if where is None else InstantiateAppRequest(location_constraints=around(where))
    try:
        await ended(lifecycle, await lifecycle.instantiate(identifier, request), patience)
    except Problem:
        await lifecycle.delete_instance(identifier)
        raise
    return identifier


async def take_down(lifecycle: Lifecycle, app_instance_id: str, timeout: int = 10, patience: float = 60.0) -> None:
    """Terminate gracefully and delete."""
    info = await lifecycle.read_instance(app_instance_id)
    if info.instantiation_state is InstantiationState.INSTANTIATED:
        request = TerminateAppRequest(termination_type=StopType.GRACEFUL, graceful_termination_timeout=timeout)
        await ended(lifecycle, await lifecycle.terminate(app_instance_id, request), patience + timeout)
    await lifecycle.delete_instance(app_instance_id)


async def remove_package(packages: PackageManagement, app_pkg_id: str) -> None:
    """Disable and delete a package."""
    change = AppPkgInfoModifications(operational_state=PackageOperationalState.DISABLED)
    await packages.modify_package(app_pkg_id, change)
    await packages.delete_package(app_pkg_id)


async def ended(lifecycle: Lifecycle, accepted: Accepted, patience: float) -> AppLcmOpOcc:
    """The operation once it has ended; a problem tells why it failed."""
    identifier = urlsplit(accepted.location).path.rsplit("/", 1)[-1]
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with continuing(UNTRACED):
            operation = await lifecycle.read_operation(identifier)
        if operation.operation_state is OperationState.COMPLETED:
            return operation
        if operation.operation_state is OperationState.FAILED:
            error = operation.error
            if isinstance(error, Absent):
                raise Problem(409, f"{operation.lcm_operation} failed")
            raise Problem(error.status, error.title, error.detail)
        await asyncio.sleep(0.03)
    raise Problem(504, "Operation not ended in time", f"operation {identifier} still goes on")


def around(where: Position, degrees: float = 0.1) -> LocationConstraints:
    """An area around a place, as GeoJSON."""
    west, east = where.longitude - degrees, where.longitude + degrees
    south, north = where.latitude - degrees, where.latitude + degrees
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return LocationConstraints(area={"type": "Polygon", "coordinates": [ring]})


def _measure(archive: Path) -> tuple[int, str]:
    try:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return archive.stat().st_size, digest
    except OSError as error:
        raise bad_request(f"Cannot read {archive}", error.strerror or str(error)) from None


async def _chunks(archive: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(archive.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
