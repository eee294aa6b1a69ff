"""Steps that take an app down (ETSI GS MEC 010-2 V3.1.1, 5.3.2; ETSI GS MEC 011 V3.1.1, 5.2.3)."""

from __future__ import annotations

import time

from hanse.elements.mepm.domain import DEFAULT_GRACE
from hanse.elements.mepm.steps import InstanceSteps
from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem
from hanse.refpoints.mm1.lifecycle import StopType
from hanse.refpoints.mm5.platform import AppPhase, GracefulEnd, StandingQuery
from hanse.refpoints.mm6.workloads import Stopping
from hanse.refpoints.mm7 import WorkloadState
from hanse.refpoints.mp1.support import OperationAction


class Ending(InstanceSteps):
    """From the announcement, if it is to be graceful, to resources given back."""

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
