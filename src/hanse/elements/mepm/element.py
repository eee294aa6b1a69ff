"""The platform manager: runs an app's life on its host (ETSI GS MEC 003, 7.1.4.3)."""

from __future__ import annotations

import uuid

import msgspec

from hanse.elements.mepm.procedures import InstanceProcedures
from hanse.elements.mepm.records import InstanceRecord, Records
from hanse.elements.mepm.steps import READY_PATIENCE, TOLD
from hanse.kit.contract.call import continuing, current_call
from hanse.kit.contract.declare import Accepted, Created
from hanse.kit.outbox import NEVER, Outbox
from hanse.kit.problems import Problem, conflict
from hanse.kit.procedures import Body, Procedures
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
    OperationalState,
    TerminateAppRequest,
)
from hanse.refpoints.mm1.occurrence import begun, check_terminate, represent
from hanse.refpoints.mm1.operations import Operations
from hanse.refpoints.mm3.granting import Granting
from hanse.refpoints.mm3.management import (
    Assignment,
    FoundService,
    InstanceAssignment,
    PlatformReport,
    ServiceWanted,
    SystemView,
)
from hanse.refpoints.mm5.platform import ConflictPolicy, ManagerLookup, PlatformConfiguration
from hanse.refpoints.mm6.workloads import WorkloadEvents, WorkloadInfo, Workloads

NAMESPACE = uuid.UUID("0c3b1f9e-3d0b-4a52-8f6b-9a3d5b7f2e11")


class PlatformManager(Lifecycle, InstanceAssignment, ManagerLookup, WorkloadEvents):
    """The platform manager of one host."""

    def __init__(
        self,
        host: str,
        url: str,
        *,
        store: Store,
        outbox: Outbox,
        procedures: Procedures,
        granting: Granting,
        view: SystemView,
        platform: PlatformConfiguration,
        vim: Workloads,
        ready_patience: float = READY_PATIENCE,
        conflicts: ConflictPolicy = ConflictPolicy.REFUSE,
    ) -> None:
        self._base = f"{url}/app_lcm/v1"
        self._name = f"mepm.{host}"
        self._store = store
        self._view = view
        self._records = Records(store)
        self._operations = Operations(self._name, self._records.operations, outbox, procedures)
        self._steps = InstanceProcedures(
            self._base, store, outbox, self._records, granting, view, platform, vim, ready_patience, conflicts
        )
        self._register(LcmOperation.INSTANTIATE, self._steps.instantiate)
        self._register(LcmOperation.TERMINATE, self._steps.terminate)
        self._register(LcmOperation.OPERATE, self._steps.operate)
        procedures.register(f"{self._name}.lost", self._steps.lost)
        outbox.handle(TOLD, self._tell_orchestrator, give_up_after=NEVER)

    def _register(self, operation: LcmOperation, body: Body) -> None:
        self._operations.procedures.register(f"{self._name}.{operation.lower()}", body, failed=self._steps.failed)

    async def assign(self, app_instance_id: str, assignment: Assignment) -> None:
        """Take charge of an instance."""

        def decide(tx: Transaction) -> None:
            if tx.find(self._records.instances, app_instance_id) is None:
                tx.put(self._records.instances, app_instance_id, InstanceRecord(assignment=assignment))

        await self._store.commit(decide)

    async def release(self, app_instance_id: str) -> None:
        """Forget an instance that has no resources, and its operations."""

        def decide(tx: Transaction) -> None:
            instance = tx.find(self._records.instances, app_instance_id)
            if instance is None:
                return
            if instance.state is InstantiationState.INSTANTIATED or self._operations.live(tx, app_instance_id):
                raise conflict("Instance has resources", "terminate it first")
            tx.delete(self._records.instances, app_instance_id)
            self._operations.forget_of(tx, app_instance_id)

        await self._store.commit(decide)

    async def forget_ended(self, before: float) -> int:
        """Forget operations that had ended before that moment (Unix seconds); how many.

        One whose end the orchestrator has not heard yet stays: it would ask for the same operation again.
        """
        untold = self._operations.outbox.waiting(TOLD)
        keep = {msgspec.json.decode(body, type=AppLcmOpOcc).id for body in untold}
        return await self._store.commit(lambda tx: self._operations.forget_ended(tx, before, keep))

    async def create_instance(self, request: CreateAppInstanceRequest) -> Created[AppInstanceInfo]:
        """Not on Mm3: instances come by assignment."""
        raise Problem(405, "Method POST not supported", "instances come by assignment", {"Allow": "GET, HEAD"})

    async def delete_instance(self, app_instance_id: str) -> None:
        """Not on Mm3: instances leave by release."""
        raise Problem(405, "Method DELETE not supported", "instances leave by release", {"Allow": "GET, HEAD"})

    async def list_instances(self) -> list[AppInstanceInfo]:
        """The instances in this manager's charge."""
        return [self._represent(record) for record in self._records.instances.values()]

    async def read_instance(self, app_instance_id: str) -> AppInstanceInfo:
        """One instance."""
        return self._represent(self._records.instances.get(app_instance_id))

    async def instantiate(self, app_instance_id: str, request: InstantiateAppRequest) -> Accepted:
        """Begin to instantiate."""
        return await self._begin(app_instance_id, LcmOperation.INSTANTIATE, request)

    async def terminate(self, app_instance_id: str, request: TerminateAppRequest) -> Accepted:
        """Begin to terminate."""
        check_terminate(request)
        return await self._begin(app_instance_id, LcmOperation.TERMINATE, request)

    async def operate(self, app_instance_id: str, request: OperateAppRequest) -> Accepted:
        """Begin to start or stop."""
        return await self._begin(app_instance_id, LcmOperation.OPERATE, request)

    async def list_operations(self) -> list[AppLcmOpOcc]:
        """All operations that are remembered."""
        return [represent(operation, self._base) for operation in self._records.operations.values()]

    async def read_operation(self, app_lcm_op_occ_id: str) -> AppLcmOpOcc:
        """One operation."""
        return represent(self._records.operations.get(app_lcm_op_occ_id), self._base)

    async def find_service(self, query: ServiceWanted) -> list[FoundService]:
        """Ask the orchestrator (ETSI GR MEC 035, 6.5.2, step 3)."""
        return await self._view.find_service(query)

    async def report_services(self, host: str, report: PlatformReport) -> None:
        """Pass on what the platform offers."""
        await self._view.report_services(host, report)

    async def workload_ended(self, info: WorkloadInfo) -> None:
        """Begin to settle what an app left that ended by itself.

        A problem 503 while an operation goes on, which may not see it: what its end leaves decides, so tell it again.
        """
        identifier = info.app_instance_id

        def decide(tx: Transaction) -> None:
            instance = tx.find(self._records.instances, identifier)
            if instance is not None and self._operations.live(tx, identifier):
                raise Problem(503, "Operation goes on", "tell it again when it is over", {"Retry-After": "1"})
            if instance is None or instance.running is not OperationalState.STARTED:
                return
            key = str(uuid.uuid5(NAMESPACE, f"{self._name} {identifier} {getattr(info.exit, 'at', '')}"))
            self._operations.begin_procedure(tx, "lost", key, identifier)

        await self._store.commit(decide)

    async def _begin(self, app_instance_id: str, operation: LcmOperation, request: object) -> Accepted:
        """Record the operation and begin its procedure in one commit; the same key again is the same operation."""
        call = current_call()
        key = call.idempotency_key or str(uuid.uuid4())
        identifier = str(uuid.uuid5(NAMESPACE, f"{self._name} {key}"))

        def decide(tx: Transaction) -> None:
            if tx.find(self._records.operations, identifier) is not None:
                return
            instance = tx.get(self._records.instances, app_instance_id)
            begins = begun(identifier, app_instance_id, operation, request, instance.assignment.tenant, call.trace)
            self._operations.begin(tx, begins, request, instance.state, instance.running)

        await self._store.commit(decide)
        return Accepted(f"{self._base}/app_lcm_op_occs/{identifier}")

    async def _tell_orchestrator(self, event: bytes) -> None:
        operation = msgspec.json.decode(event, type=AppLcmOpOcc)
        record = self._records.operations.find(operation.id)
        with continuing(record.trace if record else ""):
            await self._view.operation_changed(operation)

    def _represent(self, record: InstanceRecord) -> AppInstanceInfo:
        assignment = record.assignment
        here = f"{self._base}/app_instances/{assignment.app_instance_id}"
        appd = assignment.descriptor
        return AppInstanceInfo(
            id=assignment.app_instance_id,
            app_d_id=appd.app_d_id,
            app_provider=appd.app_provider,
            app_name=appd.app_name,
            app_soft_version=appd.app_soft_version,
            app_d_version=appd.app_d_version,
            app_pkg_id=assignment.app_pkg_id,
            instantiation_state=record.state,
            instantiated_app_state=InstantiatedAppState(operational_state=record.running) if record.running else ABSENT,
            links=InstanceLinks(self=Link(href=here)),
        )
