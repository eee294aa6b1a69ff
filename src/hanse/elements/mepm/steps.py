"""What all operations on an instance share: a grant before they touch anything, and an end that is noted."""

from __future__ import annotations

import msgspec

from hanse.elements.mepm.records import InstanceRecord, Records
from hanse.kit.failpoints import effect
from hanse.kit.outbox import Outbox
from hanse.kit.problems import ProblemDetails
from hanse.kit.store import Store, Transaction
from hanse.kit.values import Link
from hanse.refpoints.mm1.lifecycle import InstantiationState, LcmOperation, OperationalState, OperationState
from hanse.refpoints.mm1.occurrence import Occurrence, entered, represent
from hanse.refpoints.mm3.granting import Granting, GrantLinks, GrantRequest, ResourceDefinition, ResourceType
from hanse.refpoints.mm3.management import Assignment, SystemView
from hanse.refpoints.mm5.platform import ConflictPolicy, PlatformConfiguration
from hanse.refpoints.mm6.workloads import Workloads

READY_PATIENCE = 30.0
"""Seconds that an app has from its start to confirm_ready."""
TOLD = "mm3.operation"
"""Topic of the events that tell the orchestrator how an operation ended."""


class InstanceSteps:
    """Every step names the operation and may run twice; its method's name is kept with it, and does not change."""

    def __init__(
        self,
        base: str,
        store: Store,
        outbox: Outbox,
        records: Records,
        granting: Granting,
        view: SystemView,
        platform: PlatformConfiguration,
        vim: Workloads,
        ready_patience: float = READY_PATIENCE,
        conflicts: ConflictPolicy = ConflictPolicy.REFUSE,
    ) -> None:
        self._base = base
        self._store = store
        self._outbox = outbox
        self._records = records
        self._granting = granting
        self._view = view
        self._platform = platform
        self._vim = vim
        self._ready_patience = ready_patience
        self._conflicts = conflicts

    @effect("mepm.grant")
    async def request_grant(self, operation_id: str) -> None:
        """Ask the orchestrator for the resources (7.5)."""
        operation, assignment = self._operation(operation_id), self._assignment(operation_id)
        resources = (ResourceDefinition(id="compute", type=ResourceType.COMPUTE, resource_template_id=("compute",)),)
        request = GrantRequest(
            app_instance_id=operation.app_instance_id,
            app_lcm_op_occ_id=operation_id,
            app_d_id=assignment.descriptor.app_d_id,
            operation=operation.operation,
            links=GrantLinks(
                app_lcm_op_occ=Link(href=f"{self._base}/app_lcm_op_occs/{operation_id}"),
                app_instance=Link(href=f"{self._base}/app_instances/{operation.app_instance_id}"),
            ),
        )
        if operation.operation is LcmOperation.INSTANTIATE:
            request = msgspec.structs.replace(request, add_resources=resources)
        if operation.operation is LcmOperation.TERMINATE:
            request = msgspec.structs.replace(request, remove_resources=resources)
        await self._granting.request_grant(request)

    async def instantiated(self, operation_id: str) -> None:
        """The operation is done: the app runs."""
        await self._finish(operation_id, InstantiationState.INSTANTIATED, OperationalState.STARTED)

    async def started(self, operation_id: str) -> None:
        """The operation is done: the app runs again."""
        await self._finish(operation_id, InstantiationState.INSTANTIATED, OperationalState.STARTED)

    async def stopped(self, operation_id: str) -> None:
        """The operation is done: the app has its resources and does not run."""
        await self._finish(operation_id, InstantiationState.INSTANTIATED, OperationalState.STOPPED)

    async def terminated(self, operation_id: str) -> None:
        """The operation is done: the instance has no resources."""
        await self._finish(operation_id, InstantiationState.NOT_INSTANTIATED, None)

    async def failed(self, operation_id: str, problem: str) -> None:
        """The operation has failed and was undone; the instance is as it was."""
        error = msgspec.json.decode(problem, type=ProblemDetails)

        def decide(tx: Transaction) -> None:
            operation = tx.find(self._records.operations, operation_id)
            if operation is not None and operation.live:
                self._settle(tx, entered(operation, OperationState.FAILED, error))

        await self._store.commit(decide)

    async def _finish(self, operation_id: str, state: InstantiationState, running: OperationalState | None) -> None:
        def decide(tx: Transaction) -> None:
            operation = tx.find(self._records.operations, operation_id)
            if operation is None or not operation.live:  # run twice: it was done, and may have been deleted since
                return
            instance = tx.get(self._records.instances, operation.app_instance_id)
            done = msgspec.structs.replace(instance, state=state, running=running)
            tx.put(self._records.instances, operation.app_instance_id, done)
            self._settle(tx, entered(operation, OperationState.COMPLETED))

        await self._store.commit(decide)

    def _settle(self, tx: Transaction, operation: Occurrence) -> None:
        tx.put(self._records.operations, operation.id, operation)
        self._outbox.emit(tx, TOLD, operation.app_instance_id, represent(operation, self._base))

    def _operation(self, operation_id: str) -> Occurrence:
        return self._records.operations.get(operation_id)

    def _assignment(self, operation_id: str) -> Assignment:
        instance: InstanceRecord = self._records.instances.get(self._operation(operation_id).app_instance_id)
        return instance.assignment
