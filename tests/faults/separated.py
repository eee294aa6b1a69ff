"""An operator whose elements are processes of their own, each of which can be killed by itself."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import cast

from hanse.assembly.catalogue import elements
from tests.faults.nursery import Born, Wish, born
from tests.faults.operators import DEATH_PATIENCE, LoneOperator

MEO, MEPM, VIM, MEP = "meo", "mepm.harbour", "vim.harbour", "mep.harbour"


class SeparatedOperator(LoneOperator):
    """``hanse up --separate``; `lives` and `remains` see no difference."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._parts: dict[str, Born] = {}

    async def start_all(self) -> None:
        """Start every element, unarmed."""
        await self.start_parts(*elements(self.settings))

    async def start_parts(self, *names: str) -> None:
        """Start these elements, unarmed, and return when they are ready."""
        for name in names:
            self._orders_of(name).unlink(missing_ok=True)
            (self.settings.directory / "run" / f"{name}.json").unlink(missing_ok=True)
            self._parts[name] = await asyncio.to_thread(born, self._wish(name))
        waiting = [(self.settings, name, cast(subprocess.Popen[bytes], self._parts[name])) for name in names]
        await asyncio.to_thread(self.deployment.await_operator, waiting)

    def arm_part(self, name: str, failpoint: str) -> None:
        """The next time that this element comes by, it dies."""
        part = self._orders_of(name).with_suffix(".part")
        part.write_text(failpoint)
        part.replace(self._orders_of(name))

    async def death_of(self, name: str) -> None:
        """Wait until it has died; `subprocess.TimeoutExpired` if it lives on."""
        await asyncio.to_thread(self._parts[name].wait, DEATH_PATIENCE)

    def clear(self) -> None:
        """End everything, and give the addresses back."""
        for part in self._parts.values():
            part.kill()
            part.wait(DEATH_PATIENCE)
        super().clear()

    def _wish(self, name: str) -> Wish:
        log = self.settings.directory / "log" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        arguments = (str(self.settings.path), name)
        return Wish(arguments, str(self.deployment.directory), str(log), str(self._orders_of(name)))

    def _orders_of(self, name: str) -> Path:
        return self.deployment.directory / f"failpoint-{name}"
