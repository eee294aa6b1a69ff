"""Procedures of a platform manager, step by step (ETSI GS MEC 010-2 V3.1.1, 5.3; ETSI GS MEC 011 V3.1.1, 5.2)."""

from __future__ import annotations

import msgspec

from hanse.elements.mepm.ending import Ending
from hanse.elements.mepm.starting import Starting
from hanse.kit.failpoints import effect
from hanse.kit.procedures import Steps
from hanse.kit.store import Transaction
from hanse.refpoints.mm1.lifecycle import OperationalState


class InstanceProcedures(Starting, Ending):
    """The durable sequences of one platform manager; their steps are in `starting`, `ending` and `steps`."""

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
