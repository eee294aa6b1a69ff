"""Steps that bring an app up (ETSI GS MEC 010-2 V3.1.1, 5.3.1)."""

from __future__ import annotations

import time

from hanse.elements.mepm.domain import configuration, demand, launch
from hanse.elements.mepm.steps import InstanceSteps
from hanse.kit.failpoints import effect
from hanse.kit.problems import conflict
from hanse.refpoints.mm5.platform import AppPhase, StandingQuery
from hanse.refpoints.mm7 import WorkloadState


class Starting(InstanceSteps):
    """From resources at the VIM to an app that is ready and whose rules are carried out."""

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


def _ending(exit_record: object) -> str:
    code, signal = getattr(exit_record, "exit_code", None), getattr(exit_record, "signal", None)
    if isinstance(code, int):
        return f"exit code {code}"
    reason = getattr(exit_record, "reason", None)
    if isinstance(reason, str):
        return f"the host ended it: {reason}"
    return f"ended by signal {signal}" if isinstance(signal, int) else "it ended"
