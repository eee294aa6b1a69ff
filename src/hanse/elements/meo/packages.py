"""Package management (ETSI GS MEC 010-2 V3.1.1, 7.3): announce, upload, read, enable, disable, delete."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from hanse.elements.meo.disposal import Disposal
from hanse.elements.meo.packages_check import Onboarding
from hanse.elements.meo.packages_files import PackageFiles
from hanse.elements.meo.packages_intake import Intake
from hanse.elements.meo.packages_shown import own_package, shown
from hanse.elements.meo.records import PackageRecord, Records, visible
from hanse.kit.contract.call import current_call
from hanse.kit.contract.declare import Accepted, Created, Stream
from hanse.kit.outbox import Outbox
from hanse.kit.problems import conflict, forbidden
from hanse.kit.procedures import Procedures
from hanse.kit.store import Store, Transaction
from hanse.refpoints.mm1.packages import (
    AppPkgInfo,
    AppPkgInfoModifications,
    CreateAppPkg,
    OnboardingState,
    PackageManagement,
    PackageOperationalState,
)


class Packages(PackageManagement):
    """The packages of a system, each found by its own id and, once it is on-boarded, by that of its descriptor."""

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
        self._records = records
        self._disposal = disposal
        self._files = PackageFiles(directory)
        self.onboarding = Onboarding(store, outbox, procedures, records, self._files, trust)
        self._intake = Intake(store, records, self._files, self.onboarding)

    async def start_up(self) -> None:
        """Settle what a crash left of uploads."""
        await self._intake.start_up()

    def onboarded(self, app_d_id: str) -> PackageRecord | None:
        """The on-boarded package of a descriptor, whosever it is."""
        for record in self._records.packages.values():
            if record.descriptor is not None and record.descriptor.app_d_id == app_d_id:
                return record
        return None

    def archive_of(self, app_pkg_id: str) -> Path:
        """The archive of an on-boarded package."""
        return self._files.archive(app_pkg_id)

    async def create_package(self, package: CreateAppPkg) -> Created[AppPkgInfo]:
        """Announce a package."""
        record = await self._intake.announce(package)
        return Created(self._shown(record), f"{self._base}/app_packages/{record.id}")

    async def list_packages(self) -> list[AppPkgInfo]:
        """The caller's packages."""
        tenant = current_call().tenant
        return [self._shown(r) for r in self._records.packages.values() if visible(tenant, r.tenant)]

    async def read_package(self, app_pkg_id: str) -> AppPkgInfo:
        """One of the caller's packages."""
        return self._shown(self._own(app_pkg_id))

    async def modify_package(self, app_pkg_id: str, change: AppPkgInfoModifications) -> AppPkgInfoModifications:
        """Enable or disable a package."""

        def decide(tx: Transaction) -> None:
            record = own_package(tx.find(self._records.packages, app_pkg_id), app_pkg_id)
            if record.state is not OnboardingState.ONBOARDED:
                raise conflict("Package is not on-boarded", f"its onboardingState is {record.state}")
            if record.operational is change.operational_state:
                raise conflict(f"Package is {record.operational}", "it can only be changed to the other state")
            changed = msgspec.structs.replace(record, operational=change.operational_state)
            tx.put(self._records.packages, app_pkg_id, changed)

        await self._store.commit(decide)
        return change

    async def delete_package(self, app_pkg_id: str) -> None:
        """Delete a package and its archive."""

        def decide(tx: Transaction) -> None:
            record = own_package(tx.find(self._records.packages, app_pkg_id), app_pkg_id)
            if record.state is OnboardingState.ONBOARDED:
                if any(i.app_pkg_id == app_pkg_id for i in tx.values(self._records.instances)):
                    raise forbidden("Package is IN_USE", "delete its instances first")
                if record.operational is PackageOperationalState.ENABLED:
                    raise forbidden("Package is ENABLED", "disable it first")
            tx.delete(self._records.packages, app_pkg_id)
            self._disposal.of_package(tx, record)

        await self._store.commit(decide)
        await self._files.remove(app_pkg_id)

    async def upload_content(self, app_pkg_id: str, content: Stream) -> Accepted:
        """Take the archive in; it is checked afterwards."""
        await self._intake.upload(app_pkg_id, content)
        return Accepted(f"{self._base}/app_packages/{app_pkg_id}")

    async def download_content(self, app_pkg_id: str) -> Stream:
        """The archive as it came."""
        return await self._files.content(self._whole(app_pkg_id))

    async def read_descriptor(self, app_pkg_id: str) -> Stream:
        """The descriptor, as text or in an archive."""
        return await self._files.descriptor(self._whole(app_pkg_id))

    async def replace_descriptor(self, app_pkg_id: str) -> None:
        """Refuse."""
        _refuse_descriptor(self._own(app_pkg_id))

    async def create_onboarded(self, package: CreateAppPkg) -> Created[AppPkgInfo]:
        """Announce a package."""
        return await self.create_package(package)

    async def list_onboarded(self) -> list[AppPkgInfo]:
        """The caller's packages that are on-boarded."""
        return [info for info in await self.list_packages() if info.onboarding_state is OnboardingState.ONBOARDED]

    async def read_onboarded(self, app_d_id: str) -> AppPkgInfo:
        """The caller's on-boarded package of a descriptor."""
        return self._shown(self._described(app_d_id))

    async def modify_onboarded(self, app_d_id: str, change: AppPkgInfoModifications) -> AppPkgInfoModifications:
        """Enable or disable a package."""
        return await self.modify_package(self._described(app_d_id).id, change)

    async def delete_onboarded(self, app_d_id: str) -> None:
        """Delete a package and its archive."""
        await self.delete_package(self._described(app_d_id).id)

    async def upload_onboarded(self, app_d_id: str, content: Stream) -> Accepted:
        """Refuse: it has its content."""
        return await self.upload_content(self._described(app_d_id).id, content)

    async def download_onboarded(self, app_d_id: str) -> Stream:
        """The archive as it came."""
        return await self.download_content(self._described(app_d_id).id)

    async def read_onboarded_descriptor(self, app_d_id: str) -> Stream:
        """The descriptor, as text or in an archive."""
        return await self.read_descriptor(self._described(app_d_id).id)

    async def replace_onboarded_descriptor(self, app_d_id: str) -> None:
        """Refuse."""
        _refuse_descriptor(self._described(app_d_id))

    def _own(self, app_pkg_id: str) -> PackageRecord:
        return own_package(self._records.packages.find(app_pkg_id), app_pkg_id)

    def _described(self, app_d_id: str) -> PackageRecord:
        return own_package(self.onboarded(app_d_id), app_d_id)

    def _whole(self, app_pkg_id: str) -> str:
        """The id, if the package is on-boarded: before that nothing can be had of it."""
        record = self._own(app_pkg_id)
        if record.state is not OnboardingState.ONBOARDED:
            raise forbidden("Package is not on-boarded", f"its onboardingState is {record.state}")
        return record.id

    def _shown(self, record: PackageRecord) -> AppPkgInfo:
        used = any(i.app_pkg_id == record.id for i in self._records.instances.values())
        return shown(record, used=used, base=self._base)


def _refuse_descriptor(record: PackageRecord) -> NoReturn:
    raise forbidden("A descriptor cannot be replaced", f"announce another package instead of {record.id}")
