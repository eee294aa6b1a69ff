"""Procedures of a platform manager, step by step (ETSI GS MEC 010-2 V3.1.1, 5.3; ETSI GS MEC 011 V3.1.1, 5.2)."""

from __future__ import annotations

import time

import msgspec

from hanse.elements.mepm.domain import DEFAULT_GRACE, configuration, demand, launch
from hanse.elements.mepm.records import InstanceRecord, Records
from hanse.kit.failpoints import effect
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem, ProblemDetails, conflict
from hanse.kit.procedures import Steps
from hanse.kit.store import Store, Transaction
from hanse.kit.values import Link
from hanse.refpoints.mm1.lifecycle import InstantiationState, LcmOperation, OperationalState, OperationState, StopType
from hanse.refpoints.mm1.occurrence import Occurrence, entered, represent
from hanse.refpoints.mm3.granting import Granting, GrantLinks, GrantRequest, ResourceDefinition, ResourceType
from hanse.refpoints.mm3.management import Assignment, SystemView
from hanse.refpoints.mm5.platform import AppPhase, ConflictPolicy, GracefulEnd, PlatformConfiguration, StandingQuery
from hanse.refpoints.mm6.workloads import Stopping, Workloads
from hanse.refpoints.mm7 import WorkloadState
from hanse.refpoints.mp1.support import OperationAction

READY_PATIENCE = 30.0
"""Seconds that an app has from its start to confirm_ready."""
TOLD = "mm3.operation"
"""Topic of the events that tell the orchestrator how an operation ended."""


class InstanceProcedures:
    """The durable sequences of one platform manager; every step names the operation and may run twice."""

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

    async def instantiate(self, steps: Steps, operation_id: str) -> None:
        """From nothing to STARTED (5.3.1)."""
        await steps.run(self.request_grant, operation_id)
        await steps.run(self.allocate, operation_id, undo=self.release)
        await steps.run(self.configure_platform, operation_id, undo=self.forget)
        await steps.run(self.start_workload, operation_id)
        await steps.run(self.await_ready, operation_id, patience=self._ready_patience + 30)
        await steps.run(self.activate_rules, operation_id)
        await steps.run(self.instantiated, operation_id)

    async def terminate(self, steps: Steps, operation_id: str) -> None:
        """From STARTED or STOPPED to nothing (5.3.2)."""
        await steps.run(self.request_grant, operation_id)
        await steps.run(self.announce_termination, operation_id)
        await steps.run(self.await_confirmation, operation_id, patience=90000.0)
        await steps.run(self.deactivate, operation_id)
        await steps.run(self.release, operation_id)
        await steps.run(self.forget, operation_id)
        await steps.run(self.terminated, operation_id)

    async def lost(self, steps: Steps, app_instance_id: str) -> None:
        """An app ended by itself: from STARTED to STOPPED, without anybody's asking."""
        await steps.run(self.withdraw, app_instance_id)
        await steps.run(self.note_stopped, app_instance_id)
        await steps.run(self.tell_ended, app_instance_id)

    async def operate(self, steps: Steps, operation_id: str) -> None:
        """From STARTED to STOPPED, or back."""
        await steps.run(self.request_grant, operation_id)
        if self._operation(operation_id).params["changeStateTo"] == OperationalState.STARTED:
            await steps.run(self.start_workload, operation_id)
            await steps.run(self.await_ready, operation_id, patience=self._ready_patience + 30)
            await steps.run(self.activate_rules, operation_id)
            await steps.run(self.started, operation_id)
            return
        await steps.run(self.announce_stop, operation_id)
        await steps.run(self.await_confirmation, operation_id, patience=90000.0)
        await steps.run(self.deactivate, operation_id)
        await steps.run(self.stop_workload, operation_id)
        await steps.run(self.stopped, operation_id)

    @effect("mepm.withdraw")
    async def withdraw(self, app_instance_id: str) -> None:
        """Let the platform withdraw rules and services of an app that ended (Mm5)."""
        await self._platform.deactivate(app_instance_id)

    async def note_stopped(self, app_instance_id: str) -> None:
        """Note that the app does not run."""

        def decide(tx: Transaction) -> None:
            instance = tx.find(self._records.instances, app_instance_id)
            if instance is not None and instance.running is OperationalState.STARTED:
                stopped = msgspec.structs.replace(instance, running=OperationalState.STOPPED)
                tx.put(self._records.instances, app_instance_id, stopped)

        await self._store.commit(decide)

    @effect("mepm.tell_ended")
    async def tell_ended(self, app_instance_id: str) -> None:
        """Tell the orchestrator (Mm3)."""
        await self._view.instance_ended(app_instance_id)

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

    @effect("mepm.allocate")
    async def allocate(self, operation_id: str) -> None:
        """Take resources at the VIM (Mm6)."""
        assignment = self._assignment(operation_id)
        await self._vim.allocate(assignment.app_instance_id, demand(assignment))

    @effect("mepm.configure")
    async def configure_platform(self, operation_id: str) -> None:
        """Tell the platform of the app, its rules and how conflicts between rules are settled (Mm5)."""
        assignment = self._assignment(operation_id)
        allocation = await self._vim.allocate(assignment.app_instance_id, demand(assignment))
        known = configuration(assignment, allocation, self._conflicts)
        await self._platform.configure(assignment.app_instance_id, known)

    @effect("mepm.start")
    async def start_workload(self, operation_id: str) -> None:
        """Start the app with what it needs to speak to its platform (Mm6)."""
        assignment = self._assignment(operation_id)
        identifier = assignment.app_instance_id
        allocation = await self._vim.allocate(identifier, demand(assignment))
        access = await self._platform.configure(identifier, configuration(assignment, allocation, self._conflicts))
        await self._vim.start(identifier, launch(assignment, allocation, access))

    async def await_ready(self, operation_id: str) -> None:
        """Wait until the app has confirmed that it is ready (Mp1); an app that ended or says nothing fails."""
        identifier = self._operation(operation_id).app_instance_id
        deadline = time.monotonic() + self._ready_patience
        while time.monotonic() < deadline:
            query = StandingQuery(phase=AppPhase.READY, wait=1.0)
            if (await self._platform.standing(identifier, query)).phase is AppPhase.READY:
                return
            await self._check_alive(identifier)
        raise conflict("App never confirmed that it is ready", f"it had {self._ready_patience:g} s for confirm_ready")

    async def _check_alive(self, identifier: str) -> None:
        info = await self._vim.workload(identifier)
        if info.state is WorkloadState.EXITED:
            output = info.output if isinstance(info.output, str) else ""
            ending = output.strip().splitlines()[-1:] or ["it wrote nothing"]
            raise conflict("App ended before it was ready", f"{_ending(info.exit)}; its last words: {ending[0][:300]}")

    @effect("mepm.activate")
    async def activate_rules(self, operation_id: str) -> None:
        """Let the platform carry out the app's rules, now that it runs normally (5.3.1)."""
        await self._platform.activate(self._operation(operation_id).app_instance_id)

    async def announce_termination(self, operation_id: str) -> None:
        """Let the platform tell the app that it will be terminated, if it is to be graceful."""
        await self._announce(operation_id, OperationAction.TERMINATING, "terminationType", "gracefulTerminationTimeout")

    async def announce_stop(self, operation_id: str) -> None:
        """Let the platform tell the app that it will be stopped, if it is to be graceful."""
        await self._announce(operation_id, OperationAction.STOPPING, "stopType", "gracefulStopTimeout")

    @effect("mepm.announce")
    async def _announce(self, operation_id: str, action: OperationAction, kind: str, timeout: str) -> None:
        operation = self._operation(operation_id)
        if operation.params.get(kind) != StopType.GRACEFUL or not await self._listens(operation.app_instance_id):
            return
        end = GracefulEnd(action=action, timeout=int(operation.params.get(timeout, DEFAULT_GRACE)))
        await self._platform.announce_end(operation.app_instance_id, end)

    async def _listens(self, identifier: str) -> bool:
        try:
            return (await self._platform.standing(identifier, StandingQuery())).listens
        except Problem as problem:
            if problem.status == 404:
                return False
            raise

    async def await_confirmation(self, operation_id: str) -> None:
        """Wait until the app has confirmed, has ended, or its time is over (ETSI GS MEC 011 V3.1.1, 5.2.3)."""
        operation = self._operation(operation_id)
        timeout = operation.params.get("gracefulTerminationTimeout", operation.params.get("gracefulStopTimeout"))
        deadline = operation.entered + float(timeout or DEFAULT_GRACE)
        identifier = operation.app_instance_id
        while time.time() < deadline:
            query = StandingQuery(phase=AppPhase.CONFIRMED, wait=min(1.0, max(0.0, deadline - time.time())))
            try:
                standing = await self._platform.standing(identifier, query)
            except Problem as problem:
                if problem.status == 404:
                    return
                raise
            if standing.phase not in (AppPhase.TERMINATING, AppPhase.STOPPING):
                return
            if (await self._vim.workload(identifier)).state is WorkloadState.EXITED:
                return

    @effect("mepm.deactivate")
    async def deactivate(self, operation_id: str) -> None:
        """Withdraw the app's rules and services (ETSI GS MEC 011 V3.1.1, 5.2.3, step 7)."""
        await self._platform.deactivate(self._operation(operation_id).app_instance_id)

    @effect("mepm.stop")
    async def stop_workload(self, operation_id: str) -> None:
        """End the app; its resources stay."""
        await self._vim.stop(self._operation(operation_id).app_instance_id, Stopping())

    @effect("mepm.release")
    async def release(self, operation_id: str) -> None:
        """End the app if it runs, and give its resources back (Mm6)."""
        await self._vim.release(self._operation(operation_id).app_instance_id)

    @effect("mepm.forget")
    async def forget(self, operation_id: str) -> None:
        """Let the platform keep nothing of the app (Mm5)."""
        await self._platform.forget(self._operation(operation_id).app_instance_id)

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


def _ending(exit_record: object) -> str:
    code, signal = getattr(exit_record, "exit_code", None), getattr(exit_record, "signal", None)
    if isinstance(code, int):
        return f"exit code {code}"
    reason = getattr(exit_record, "reason", None)
    if isinstance(reason, str):
        return f"the host ended it: {reason}"
    return f"ended by signal {signal}" if isinstance(signal, int) else "it ended"
