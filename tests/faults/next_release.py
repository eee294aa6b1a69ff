"""The operator as a later release would be: a host's manager instantiates by another procedure, and keeps the old one.

Run as ``hanse.assembly.process`` is: ``python -m tests.faults.next_release CONFIG all``. What the new procedure does
beyond the old one is to write the instance's id into the file ``inspected`` beside the configuration.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hanse.assembly import process
from hanse.assembly.builders import mepm
from hanse.elements.mepm import PlatformManager
from hanse.kit.procedures import Steps
from hanse.kit.store import Store

INSPECTED = "inspected"


class NextPlatformManager(PlatformManager):
    """Inspects an instance before it allocates anything for it."""

    def __init__(self, host: str, url: str, *, store: Store, **required: Any) -> None:
        super().__init__(host, url, store=store, **required)
        name = f"mepm.{host}.instantiate"
        self._operations.procedures.register(name, self.instantiate_inspected, version=2, failed=self._steps.failed)

    async def instantiate_inspected(self, steps: Steps, operation_id: str) -> None:
        """The sequence of version 2."""
        old = self._steps
        await steps.run(self.inspect, operation_id)
        await steps.run(old.request_grant, operation_id)
        await steps.run(old.allocate, operation_id, undo=old.release)
        await steps.run(old.configure_platform, operation_id, undo=old.forget)
        await steps.run(old.start_workload, operation_id)
        await steps.run(old.await_ready, operation_id, patience=60.0)
        await steps.run(old.activate_rules, operation_id)
        await steps.run(old.instantiated, operation_id)

    async def inspect(self, operation_id: str) -> None:
        """The new step."""
        inspected = f"{self._records.operations.get(operation_id).app_instance_id}\n"
        await asyncio.to_thread(_append, inspected)


def _append(line: str) -> None:
    with Path(INSPECTED).open("a") as file:
        file.write(line)


if __name__ == "__main__":
    vars(mepm)["PlatformManager"] = NextPlatformManager
    process.main()
