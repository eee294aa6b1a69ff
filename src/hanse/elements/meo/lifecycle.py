"""Lifecycle management on Mm1 (ETSI GS MEC 010-2 V3.1.1, 7.4)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from hanse.elements.meo.domain import check_instantiate
from hanse.elements.meo.hosts import Host
from hanse.elements.meo.packages import Packages
from hanse.elements.meo.records import InstanceRecord, Records, visible
from hanse.kit.contract.call import current_call
from hanse.kit.contract.declare import Accepted, Created
from hanse.kit.outbox import Outbox
from hanse.kit.problems import conflict, forbidden, not_found
from hanse.kit.procedures import Procedures
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT, Link
from hanse.refpoints.mm1.lifecycle import (
    AppInstanceInfo,
    AppLcmOpOcc,
    CreateAppInstanceRequest,
    InstanceLinks,
    InstantiateAppRequest,
    InstantiatedAppState,
    InstantiationState,
    LcmOperation,
    Lifecycle,
    OperateAppRequest,
    TerminateAppRequest,
)
from hanse.refpoints.mm1.occurrence import Occurrence, begun, check_terminate, represent
from hanse.refpoints.mm1.operations import Operations
from hanse.refpoints.mm1.packages import PackageOperationalState


class InstanceLifecycle(Lifecycle):
    """The instances of a system and the operations on them."""

    def __init__(
        self,
        url: str,
        store: Store,
        outbox: Outbox,
        procedures: Procedures,
        records: Records,
        packages: Packages,
        hosts: Mapping[str, Host],
    ) -> None:
        self._base = f"{url}/app_lcm/v1"
        self._store = store
        self._records = records
        self._operations = Operations("meo", records.operations, outbox, procedures)
        self._packages = packages
        self._hosts = hosts

    async def create_instance(self, request: CreateAppInstanceRequest) -> Created[AppInstanceInfo]:
        """Make an identifier for an instance of an on-boarded, enabled package of the caller."""
        tenant = current_call().tenant
        package = self._packages.onboarded(request.app_d_id)
        if package is None or package.descriptor is None or not visible(tenant, package.tenant):
            raise not_found("on-boarded package of appDId", request.app_d_id)
        name, description = request.app_instance_name, request.app_instance_description
        record = InstanceRecord(
            id=str(uuid.uuid4()),
            tenant=package.tenant,
            app_pkg_id=package.id,
            descriptor=package.descriptor,
            name=name if isinstance(name, str) else None,
            description=description if isinstance(description, str) else None,
        )

        def decide(tx: Transaction) -> None:
            self._check_enabled(tx, record)
            tx.put(self._records.instances, record.id, record)

        await self._store.commit(decide)
        return Created(self._represent(record), f"{self._base}/app_instances/{record.id}")

    async def list_instances(self) -> list[AppInstanceInfo]:
        """The caller's instances."""
        tenant = current_call().tenant
        return [self._represent(r) for r in self._records.instances.values() if visible(tenant, r.tenant)]

    async def read_instance(self, app_instance_id: str) -> AppInstanceInfo:
        """One of the caller's instances."""
        return self._represent(self._own(self._records.instances.find(app_instance_id), app_instance_id))

    async def delete_instance(self, app_instance_id: str) -> None:
        """Delete an identifier; the host that had the instance forgets it first, so that nothing is left there."""

        def deletable(tx: Transaction) -> InstanceRecord:
            present = self._own(tx.find(self._records.instances, app_instance_id), app_instance_id)
            self._check_deletable(present, self._operations.live(tx, app_instance_id))
            return present

        record = await self._store.commit(deletable)
        if record.host in self._hosts:
            await self._hosts[record.host].assignment.release(app_instance_id)

        def decide(tx: Transaction) -> None:
            deletable(tx)
            tx.delete(self._records.instances, app_instance_id)
            self._operations.forget_of(tx, app_instance_id)
            self._forget_grants(tx, {app_instance_id})

        await self._store.commit(decide)

    async def forget_ended(self, before: float) -> int:
        """Forget operations that had ended before that moment (Unix seconds), and grants that no operation needs."""

        def decide(tx: Transaction) -> int:
            busy = {o.app_instance_id for o in tx.values(self._records.operations) if o.live}
            self._forget_grants(tx, {g.app_instance_id for g in tx.values(self._records.grants)} - busy)
            return self._operations.forget_ended(tx, before)

        return await self._store.commit(decide)

    def _forget_grants(self, tx: Transaction, app_instance_ids: set[str]) -> None:
        for grant in [g for g in tx.values(self._records.grants) if g.app_instance_id in app_instance_ids]:
            tx.delete(self._records.grants, grant.id)

    async def instantiate(self, app_instance_id: str, request: InstantiateAppRequest) -> Accepted:
        """Begin to instantiate."""
        check_instantiate(request)
        return await self._begin(app_instance_id, LcmOperation.INSTANTIATE, request)

    async def terminate(self, app_instance_id: str, request: TerminateAppRequest) -> Accepted:
        """Begin to terminate."""
        check_terminate(request)
        return await self._begin(app_instance_id, LcmOperation.TERMINATE, request)

    async def operate(self, app_instance_id: str, request: OperateAppRequest) -> Accepted:
        """Begin to start or stop."""
        return await self._begin(app_instance_id, LcmOperation.OPERATE, request)

    async def list_operations(self) -> list[AppLcmOpOcc]:
        """The operations on the caller's instances."""
        tenant = current_call().tenant
        return [represent(o, self._base) for o in self._records.operations.values() if visible(tenant, o.tenant)]

    async def read_operation(self, app_lcm_op_occ_id: str) -> AppLcmOpOcc:
        """One operation on one of the caller's instances."""
        operation = self._records.operations.find(app_lcm_op_occ_id)
        if operation is None or not visible(current_call().tenant, operation.tenant):
            raise not_found("operation occurrence", app_lcm_op_occ_id)
        return represent(operation, self._base)

    async def _begin(self, app_instance_id: str, operation: LcmOperation, request: object) -> Accepted:
        """Record the operation and begin its procedure in one commit."""
        identifier, trace = str(uuid.uuid4()), current_call().trace

        def decide(tx: Transaction) -> None:
            instance = self._own(tx.find(self._records.instances, app_instance_id), app_instance_id)
            begins = begun(identifier, app_instance_id, operation, request, instance.tenant, trace)
            self._operations.begin(tx, begins, request, instance.state, instance.running)
            if operation is LcmOperation.INSTANTIATE:
                self._check_enabled(tx, instance)

        await self._store.commit(decide)
        return Accepted(f"{self._base}/app_lcm_op_occs/{identifier}")

    def _check_enabled(self, tx: Transaction, instance: InstanceRecord) -> None:
        package = tx.get(self._records.packages, instance.app_pkg_id)
        if package.operational is not PackageOperationalState.ENABLED:
            raise forbidden("Package is DISABLED", "enable it first")

    def _check_deletable(self, record: InstanceRecord, live: Occurrence | None) -> None:
        if record.state is InstantiationState.INSTANTIATED:
            raise conflict("Instance is INSTANTIATED", "terminate it first")
        if live is not None:
            raise conflict("Another operation goes on", f"{live.operation} {live.id} is {live.state}")

    def _own(self, record: InstanceRecord | None, identifier: str) -> InstanceRecord:
        if record is None or not visible(current_call().tenant, record.tenant):
            raise not_found("application instance", identifier)
        return record

    def _represent(self, record: InstanceRecord) -> AppInstanceInfo:
        here = f"{self._base}/app_instances/{record.id}"
        there = record.state is InstantiationState.INSTANTIATED
        appd = record.descriptor
        return AppInstanceInfo(
            id=record.id,
            app_d_id=appd.app_d_id,
            app_provider=appd.app_provider,
            app_name=appd.app_name,
            app_soft_version=appd.app_soft_version,
            app_d_version=appd.app_d_version,
            app_pkg_id=record.app_pkg_id,
            app_instance_name=record.name or ABSENT,
            app_instance_description=record.description or ABSENT,
            instantiation_state=record.state,
            instantiated_app_state=InstantiatedAppState(operational_state=record.running) if record.running else ABSENT,
            links=InstanceLinks(
                self=Link(href=here),
                instantiate=ABSENT if there else Link(href=f"{here}/instantiate"),
                terminate=Link(href=f"{here}/terminate") if there else ABSENT,
                operate=Link(href=f"{here}/operate") if there else ABSENT,
            ),
        )
