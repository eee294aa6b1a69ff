"""On-boarding: what was uploaded is checked, and either counts from then on or leads back (MEC 010-2, 4.3.1, A.2)."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from hanse.elements.meo.packages_files import PackageFiles
from hanse.elements.meo.records import PackageRecord, Records
from hanse.kit.contract.call import current_call
from hanse.kit.failpoints import effect
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem, ProblemDetails, bad_request, conflict
from hanse.kit.procedures import Procedures, Start, Steps
from hanse.kit.store import Store, Transaction
from hanse.model.package import Package, verify
from hanse.refpoints.mm1.packages import OnboardingState, PackageOperationalState

ONBOARD = "meo.onboard"


class Onboarding:
    """The durable procedure between an upload and its outcome; there is no failed state."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        procedures: Procedures,
        records: Records,
        files: PackageFiles,
        trust: Sequence[bytes],
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._procedures = procedures
        self._records = records
        self._files = files
        self._trust = trust
        procedures.register(ONBOARD, self._onboard, failed=self.failed)

    def begin(self, tx: Transaction, app_pkg_id: str) -> None:
        """The upload is whole: the package is PROCESSING, and its check begins with the commit."""
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

    async def back(self, app_pkg_id: str, problem: Problem) -> None:
        """Back to CREATED, with the reason; nothing of the archive is kept."""
        await self._files.remove(app_pkg_id)

        def decide(tx: Transaction) -> None:
            record = tx.find(self._records.packages, app_pkg_id)
            if record is not None:
                failure: ProblemDetails = problem.details()
                changed = msgspec.structs.replace(record, state=OnboardingState.CREATED, failure=failure)
                tx.put(self._records.packages, app_pkg_id, changed)

        await self._store.commit(decide)

    async def failed(self, app_pkg_id: str, problem: str) -> None:
        """On-boarding ended in an error; a package that was being processed can be uploaded again."""
        record = self._records.packages.find(app_pkg_id)
        if record is not None and record.state is OnboardingState.PROCESSING:
            details = msgspec.json.decode(problem, type=ProblemDetails)
            await self.back(app_pkg_id, Problem(details.status, details.title, details.detail))

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
            await self.back(app_pkg_id, problem)

    def _verified(self, record: PackageRecord) -> Package:
        path = self._files.archive(record.id)
        name = record.checksum.algorithm.replace("-", "").lower()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, name).hexdigest()
        if digest != record.checksum.hash.lower():
            raise bad_request("Invalid attribute checksum", f"the archive's {record.checksum.algorithm} is {digest}")
        return verify(path, trust=self._trust, now=datetime.now(UTC))

    def _accept(self, tx: Transaction, app_pkg_id: str, package: Package) -> None:
        record = tx.get(self._records.packages, app_pkg_id)
        app_d_id = package.appd.app_d_id
        for other in tx.values(self._records.packages):
            if other.descriptor is not None and other.descriptor.app_d_id == app_d_id:
                raise conflict(f"appDId {app_d_id} is on-boarded already", "delete the other package first")
        onboarded = msgspec.structs.replace(
            record,
            state=OnboardingState.ONBOARDED,
            operational=PackageOperationalState.ENABLED,
            descriptor=package.appd,
            images=package.images,
            signer=package.signer,
        )
        tx.put(self._records.packages, app_pkg_id, onboarded)
