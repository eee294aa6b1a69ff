"""Package management (ETSI GS MEC 010-2 V3.1.1, 7.3): announce, upload, check, enable, disable, delete."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hanse.elements.meo.disposal import Disposal
from hanse.elements.meo.records import PackageRecord, Records, visible
from hanse.kit.contract.call import current_call
from hanse.kit.contract.declare import Accepted, Created, Stream
from hanse.kit.failpoints import effect
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem, ProblemDetails, bad_request, conflict, forbidden, not_found
from hanse.kit.procedures import Procedures, Start, Steps
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT, Link
from hanse.model.package import Package, read_descriptor, verify
from hanse.refpoints.mm1.packages import (
    AppPkgInfo,
    AppPkgInfoModifications,
    Checksum,
    CreateAppPkg,
    OnboardingState,
    PackageLinks,
    PackageManagement,
    PackageOperationalState,
    SoftwareImage,
    UsageState,
)

PACKAGE_LIMIT = 4 * 1024**3
"""Bytes of a package."""
ONBOARD = "meo.onboard"
DIGESTS = ("SHA-256", "SHA-512")


class Packages(PackageManagement):
    """The packages of a system; their archives lie in files beside the store."""

    def __init__(
        self,
        url: str,
        store: Store,
        outbox: Outbox,
        procedures: Procedures,
        records: Records,
        directory: Path,
        trust: Sequence[bytes],
        disposal: Disposal,
    ) -> None:
        self._base = f"{url}/app_pkgm/v1"
        self._store = store
        self._outbox = outbox
        self._procedures = procedures
        self._records = records
        self._directory = directory
        self._trust = trust
        self._disposal = disposal
        procedures.register(ONBOARD, self._onboard, failed=self.failed)

    async def start_up(self) -> None:
        """An upload that a crash cut off has failed; files of packages that are gone are removed."""
        for record in self._records.packages.values():
            if record.state is OnboardingState.UPLOADING:
                await self._fail(record.id, Problem(400, "Upload interrupted", "upload the content again"))
        known = {record.id for record in self._records.packages.values()}
        await asyncio.to_thread(_remove_strangers, self._directory, known)

    async def create_package(self, package: CreateAppPkg) -> Created[AppPkgInfo]:
        """Announce a package; ``app_pkg_path`` is taken and not fetched: the content is pushed."""
        _check_checksum(package.checksum)
        if not package.app_pkg_name or not package.app_pkg_version:
            raise bad_request("Invalid attribute appPkgName", "appPkgName and appPkgVersion are not empty")
        data = package.user_defined_data
        record = PackageRecord(
            id=str(uuid.uuid4()),
            tenant=current_call().tenant,
            name=package.app_pkg_name,
            version=package.app_pkg_version,
            checksum=package.checksum,
            state=OnboardingState.CREATED,
            operational=PackageOperationalState.DISABLED,
            user_defined_data=data if isinstance(data, dict) else None,
        )
        await self._store.commit(lambda tx: tx.put(self._records.packages, record.id, record))
        return Created(self._represent(record), f"{self._base}/app_packages/{record.id}")

    async def list_packages(self) -> list[AppPkgInfo]:
        """The caller's packages."""
        tenant = current_call().tenant
        return [self._represent(r) for r in self._records.packages.values() if visible(tenant, r.tenant)]

    async def read_package(self, app_pkg_id: str) -> AppPkgInfo:
        """One of the caller's packages."""
        return self._represent(self._own(self._records.packages.find(app_pkg_id), app_pkg_id))

    async def list_onboarded(self) -> list[AppPkgInfo]:
        """The caller's packages that are on-boarded."""
        return [info for info in await self.list_packages() if info.onboarding_state is OnboardingState.ONBOARDED]

    async def read_onboarded(self, app_d_id: str) -> AppPkgInfo:
        """The caller's on-boarded package of a descriptor."""
        return self._represent(self._own(self.onboarded(app_d_id), app_d_id))

    def onboarded(self, app_d_id: str) -> PackageRecord | None:
        """The on-boarded package of a descriptor, whosever it is."""
        for record in self._records.packages.values():
            if record.descriptor is not None and record.descriptor.app_d_id == app_d_id:
                return record
        return None

    async def modify_package(self, app_pkg_id: str, change: AppPkgInfoModifications) -> AppPkgInfoModifications:
        """Enable or disable a package."""

        def decide(tx: Transaction) -> None:
            record = self._own(tx.find(self._records.packages, app_pkg_id), app_pkg_id)
            if record.state is not OnboardingState.ONBOARDED:
                raise conflict("Package is not on-boarded", f"its onboardingState is {record.state}")
            if record.operational is change.operational_state:
                raise conflict(f"Package is {record.operational}", "it can only be changed to the other state")
            tx.put(
                self._records.packages,
                app_pkg_id,
                msgspec.structs.replace(record, operational=change.operational_state),
            )

        await self._store.commit(decide)
        return change

    async def delete_package(self, app_pkg_id: str) -> None:
        """Delete a package and its archive."""

        def decide(tx: Transaction) -> None:
            record = self._own(tx.find(self._records.packages, app_pkg_id), app_pkg_id)
            if record.state is OnboardingState.ONBOARDED:
                if any(i.app_pkg_id == app_pkg_id for i in tx.values(self._records.instances)):
                    raise forbidden("Package is IN_USE", "delete its instances first")
                if record.operational is PackageOperationalState.ENABLED:
                    raise forbidden("Package is ENABLED", "disable it first")
            tx.delete(self._records.packages, app_pkg_id)
            self._disposal.of_package(tx, record)

        await self._store.commit(decide)
        await asyncio.to_thread(shutil.rmtree, self._directory / app_pkg_id, True)

    async def upload_content(self, app_pkg_id: str, content: Stream) -> Accepted:
        """Take the archive in; it is checked afterwards."""

        def claim(tx: Transaction) -> None:
            record = self._own(tx.find(self._records.packages, app_pkg_id), app_pkg_id)
            if record.state is not OnboardingState.CREATED:
                raise conflict(f"Package is {record.state}", "content is uploaded once, in state CREATED")
            uploading = msgspec.structs.replace(record, state=OnboardingState.UPLOADING, failure=None)
            tx.put(self._records.packages, app_pkg_id, uploading)

        await self._store.commit(claim)
        try:
            await self._receive(app_pkg_id, content)
            await self._store.commit(lambda tx: self._begin_processing(tx, app_pkg_id))
        except BaseException as error:
            problem = error if isinstance(error, Problem) else Problem(400, "Upload interrupted", "upload it again")
            await asyncio.shield(self._fail(app_pkg_id, problem))
            if isinstance(error, Exception) and app_pkg_id not in self._records.packages:
                raise not_found("application package", app_pkg_id) from None  # deleted while it came in
            raise
        return Accepted(f"{self._base}/app_packages/{app_pkg_id}")

    async def download_content(self, app_pkg_id: str) -> Stream:
        """The archive as it came."""
        record = self._own(self._records.packages.find(app_pkg_id), app_pkg_id)
        if record.state is not OnboardingState.ONBOARDED:
            raise forbidden("Package is not on-boarded", f"its onboardingState is {record.state}")
        path = self._archive(app_pkg_id)
        size = await asyncio.to_thread(os.path.getsize, path)
        return Stream(_chunks(path), "application/zip", size)

    async def read_descriptor(self, app_pkg_id: str) -> Stream:
        """The descriptor's main file."""
        record = self._own(self._records.packages.find(app_pkg_id), app_pkg_id)
        if record.state is not OnboardingState.ONBOARDED:
            raise forbidden("Package is not on-boarded", f"its onboardingState is {record.state}")
        text = await asyncio.to_thread(read_descriptor, self._archive(app_pkg_id))
        return Stream(_whole(text), "text/plain", len(text))

    def archive_of(self, app_pkg_id: str) -> Path:
        """The archive of an on-boarded package."""
        return self._archive(app_pkg_id)

    async def _receive(self, app_pkg_id: str, content: Stream) -> None:
        target = self._archive(app_pkg_id)
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        part, size = target.with_suffix(".part"), 0
        try:
            with await asyncio.to_thread(part.open, "wb") as file:
                async for chunk in content.chunks:
                    size += len(chunk)
                    if size > PACKAGE_LIMIT:
                        raise Problem(413, "Package too large", f"at most {PACKAGE_LIMIT} bytes are taken")
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(file.flush)
                await asyncio.to_thread(os.fsync, file.fileno())
        except OSError as error:
            raise Problem(507, "The package cannot be stored", error.strerror or str(error)) from None
        await asyncio.to_thread(part.replace, target)

    def _begin_processing(self, tx: Transaction, app_pkg_id: str) -> None:
        record = tx.get(self._records.packages, app_pkg_id)
        tx.put(self._records.packages, app_pkg_id, msgspec.structs.replace(record, state=OnboardingState.PROCESSING))
        start = Start(
            procedure_id=str(uuid.uuid4()),
            name=ONBOARD,
            version=self._procedures.newest(ONBOARD),
            subject=app_pkg_id,
            trace=current_call().trace,
        )
        self._procedures.begin(tx, self._outbox, start)

    async def _onboard(self, steps: Steps, app_pkg_id: str) -> None:
        await steps.run(self.check_package, app_pkg_id)

    @effect("meo.onboard")
    async def check_package(self, app_pkg_id: str) -> None:
        """Check integrity, authenticity and descriptor; the outcome is the package's state (4.3.1, 6.2.3.3)."""
        record = self._records.packages.find(app_pkg_id)
        if record is None or record.state is not OnboardingState.PROCESSING:
            return
        try:
            package = await asyncio.to_thread(self._verified, record)
            await self._store.commit(lambda tx: self._accept(tx, app_pkg_id, package))
        except Problem as problem:
            await self._fail(app_pkg_id, problem)

    async def failed(self, app_pkg_id: str, problem: str) -> None:
        """On-boarding ended in an error; a package that was being processed can be uploaded again."""
        record = self._records.packages.find(app_pkg_id)
        if record is not None and record.state is OnboardingState.PROCESSING:
            details = msgspec.json.decode(problem, type=ProblemDetails)
            await self._fail(app_pkg_id, Problem(details.status, details.title, details.detail))

    def _verified(self, record: PackageRecord) -> Package:
        path = self._archive(record.id)
        name = record.checksum.algorithm.replace("-", "").lower()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, name).hexdigest()
        if digest != record.checksum.hash.lower():
            raise bad_request("Invalid attribute checksum", f"the archive's {record.checksum.algorithm} is {digest}")
        return verify(path, trust=self._trust, now=datetime.now(UTC))

    def _accept(self, tx: Transaction, app_pkg_id: str, package: Package) -> None:
        record = tx.get(self._records.packages, app_pkg_id)
        for other in tx.values(self._records.packages):
            if other.descriptor is not None and other.descriptor.app_d_id == package.appd.app_d_id:
                raise conflict(
                    f"appDId {package.appd.app_d_id} is on-boarded already", "delete the other package first"
                )
        onboarded = msgspec.structs.replace(
            record,
            state=OnboardingState.ONBOARDED,
            operational=PackageOperationalState.ENABLED,
            descriptor=package.appd,
            images=package.images,
            signer=package.signer,
        )
        tx.put(self._records.packages, app_pkg_id, onboarded)

    async def _fail(self, app_pkg_id: str, problem: Problem) -> None:
        """Back to CREATED, with the reason; nothing of the archive is kept."""
        await asyncio.to_thread(shutil.rmtree, self._directory / app_pkg_id, True)

        def decide(tx: Transaction) -> None:
            record = tx.find(self._records.packages, app_pkg_id)
            if record is not None:
                failure: ProblemDetails = problem.details()
                back = msgspec.structs.replace(record, state=OnboardingState.CREATED, failure=failure)
                tx.put(self._records.packages, app_pkg_id, back)

        await self._store.commit(decide)

    def _archive(self, app_pkg_id: str) -> Path:
        return self._directory / app_pkg_id / "content.csar"

    def _own(self, record: PackageRecord | None, identifier: str) -> PackageRecord:
        if record is None or not visible(current_call().tenant, record.tenant):
            raise not_found("application package", identifier)
        return record

    def _represent(self, record: PackageRecord) -> AppPkgInfo:
        here = f"{self._base}/app_packages/{record.id}"
        used = any(i.app_pkg_id == record.id for i in self._records.instances.values())
        info = AppPkgInfo(
            id=record.id,
            checksum=record.checksum,
            onboarding_state=record.state,
            operational_state=record.operational,
            usage_state=UsageState.IN_USE if used else UsageState.NOT_IN_USE,
            user_defined_data=record.user_defined_data if record.user_defined_data is not None else ABSENT,
            onboarding_failure_details=record.failure or ABSENT,
            links=PackageLinks(
                self=Link(href=here),
                app_d=Link(href=f"{here}/appd"),
                app_pkg_content=Link(href=f"{here}/package_content"),
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
            software_images=tuple(
                SoftwareImage(
                    id=image.name,
                    name=image.name,
                    size=image.size,
                    checksum=Checksum(algorithm="SHA-256", hash=image.sha256),
                    image_path=image.path,
                )
                for image in record.images
            ),
        )


def _check_checksum(checksum: Checksum) -> None:
    if checksum.algorithm not in DIGESTS:
        raise bad_request("Invalid attribute checksum.algorithm", f"legal: {', '.join(DIGESTS)}")
    length = 64 if checksum.algorithm == "SHA-256" else 128
    if len(checksum.hash) != length or not all(c in "0123456789abcdefABCDEF" for c in checksum.hash):
        raise bad_request("Invalid attribute checksum.hash", f"{length} hexadecimal digits")


def _remove_strangers(directory: Path, known: set[str]) -> None:
    for path in directory.iterdir() if directory.is_dir() else ():
        if path.name not in known:
            shutil.rmtree(path, ignore_errors=True)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, 256 * 1024):
            yield chunk


async def _whole(text: bytes) -> AsyncIterator[bytes]:
    yield text
