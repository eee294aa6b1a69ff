"""Intake: a package is announced, and its content comes in afterwards (ETSI GS MEC 010-2 V3.1.1, 7.3.1 and 7.3.7)."""

from __future__ import annotations

import asyncio
import uuid

import msgspec

from hanse.elements.meo.packages_check import Onboarding
from hanse.elements.meo.packages_files import PackageFiles, check_size
from hanse.elements.meo.packages_shown import own_package
from hanse.elements.meo.records import PackageRecord, Records
from hanse.kit.contract.call import current_call
from hanse.kit.contract.declare import Stream
from hanse.kit.problems import Problem, bad_request, conflict, not_found
from hanse.kit.store import Store, Transaction
from hanse.refpoints.mm1.packages import Checksum, CreateAppPkg, OnboardingState, PackageOperationalState

DIGITS = {"SHA-256": 64, "SHA-512": 128}
"""Digests that a package may be announced with, and their hexadecimal digits."""


class Intake:
    """Takes in what customers announce and upload, and hands it on to be checked."""

    def __init__(self, store: Store, records: Records, files: PackageFiles, onboarding: Onboarding) -> None:
        self._store = store
        self._records = records
        self._files = files
        self._onboarding = onboarding

    async def start_up(self) -> None:
        """An upload that a crash cut off has failed; files of packages that are gone are removed."""
        for record in self._records.packages.values():
            if record.state is OnboardingState.UPLOADING:
                await self._onboarding.back(record.id, Problem(400, "Upload interrupted", "upload the content again"))
        await self._files.remove_strangers(record.id for record in self._records.packages.values())

    async def announce(self, package: CreateAppPkg) -> PackageRecord:
        """A new package of the caller; ``app_pkg_path`` is taken and not fetched: the content is pushed."""
        _check(package)
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
        return record

    async def upload(self, app_pkg_id: str, content: Stream) -> None:
        """Take the content of a package in state CREATED; whatever goes wrong leads back there."""
        await self._store.commit(lambda tx: self._claim(tx, app_pkg_id, content.length or 0))
        try:
            await self._files.receive(app_pkg_id, content)
            await self._store.commit(lambda tx: self._onboarding.begin(tx, app_pkg_id))
        except BaseException as error:
            problem = error if isinstance(error, Problem) else Problem(400, "Upload interrupted", "upload it again")
            await asyncio.shield(self._onboarding.back(app_pkg_id, problem))
            if isinstance(error, Exception) and app_pkg_id not in self._records.packages:
                raise not_found("application package", app_pkg_id) from None  # deleted while it came in
            raise

    def _claim(self, tx: Transaction, app_pkg_id: str, size: int) -> None:
        record = own_package(tx.find(self._records.packages, app_pkg_id), app_pkg_id)
        if record.state is not OnboardingState.CREATED:
            raise conflict(f"Package is {record.state}", "content is uploaded once, in state CREATED")
        check_size(size)
        uploading = msgspec.structs.replace(record, state=OnboardingState.UPLOADING, failure=None)
        tx.put(self._records.packages, app_pkg_id, uploading)


def _check(package: CreateAppPkg) -> None:
    for name, value in (("appPkgName", package.app_pkg_name), ("appPkgVersion", package.app_pkg_version)):
        if not value:
            raise bad_request(f"Invalid attribute {name}", "give one; it may not be empty")
    _check_checksum(package.checksum)


def _check_checksum(checksum: Checksum) -> None:
    if checksum.algorithm not in DIGITS:
        raise bad_request("Invalid attribute checksum.algorithm", f"legal: {', '.join(DIGITS)}")
    length = DIGITS[checksum.algorithm]
    if len(checksum.hash) != length or not all(c in "0123456789abcdefABCDEF" for c in checksum.hash):
        raise bad_request("Invalid attribute checksum.hash", f"{length} hexadecimal digits")
