"""A process that carries out a procedure; the tests kill it and start it again (see `test_procedures`).

Arguments: a directory, the newest version of the procedure that is known here, how many seconds to work or the voyage
at whose end that is over, and the voyages to begin. With work left at the end it closes in good order, else it leaves
at once. Every step appends a line to the file ``log``; a file ``fail-<step>-<voyage>`` lets a step fail, once for each
status in it; a file ``hang-before-<step>-<voyage>…`` (``after``) lets it wait there for its end, and is renamed to
``hanging-…``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from hanse.kit.contract.call import current_call
from hanse.kit.failpoints import effect
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem
from hanse.kit.procedures import DurableProcedures, Start, Steps
from hanse.kit.store import Store, Transaction
from hanse.kit.values import Value

PATIENCE, AMPLE = 3.0, 300.0
"""Seconds: that of a crossing without wind, and of what a busy machine may hold up."""


class Voyage(Value):
    state: str


class Ship:
    """An element: its records, its steps and their procedure."""

    def __init__(self, directory: Path, newest: int) -> None:
        self.directory = directory
        self.store = Store(directory / "store.db")
        self.voyages = self.store.shelf("voyage", Voyage)
        self.outbox = Outbox(self.store)
        self.procedures = DurableProcedures(directory / "procedures.db", "ship.1")
        self.loop = asyncio.get_running_loop()
        bodies = {1: self.sail, 2: self.sail_anew, 3: self.sail_badly}
        for version in range(1, newest + 1):
            self.procedures.register("sail", bodies[version], version=version, failed=self.wreck)
        self.outbox.handle("procedure", self.procedures.launch)

    async def sail(self, steps: Steps, voyage: str) -> None:
        await steps.run(self.load, voyage, "salt", undo=self.unload)
        await steps.run(self.load, voyage, "fur", undo=self.unload)
        patience = PATIENCE if voyage == "becalmed" else AMPLE
        harbour = await steps.run(self.cross, voyage, undo=self.turn, patience=patience)
        await steps.run(self.arrive, voyage, harbour["name"])

    async def sail_anew(self, steps: Steps, voyage: str) -> None:
        await steps.run(self.arrive, voyage, "by air")

    async def sail_badly(self, steps: Steps, voyage: str) -> None:
        await steps.run(self.load, voyage, "gold", undo=self.unload)
        raise LookupError("no chart")

    async def load(self, voyage: str, cargo: str) -> None:
        await self._do(f"load {voyage} {cargo}")

    async def unload(self, voyage: str, cargo: str) -> None:
        await self._do(f"unload {voyage} {cargo}")

    async def cross(self, voyage: str) -> dict[str, str]:
        await self._do(f"cross {voyage}")
        return {"name": "Visby"}

    async def turn(self, voyage: str) -> None:
        await self._do(f"turn {voyage}")

    async def arrive(self, voyage: str, harbour: str) -> None:
        await self._do(f"arrive {voyage} {harbour}")
        await self._state(voyage, "ARRIVED")

    async def wreck(self, voyage: str, problem: str) -> None:
        await self._do(f"wreck {voyage} {problem}")
        await self._state(voyage, "WRECKED")

    async def _do(self, line: str) -> None:
        assert asyncio.get_running_loop() is self.loop
        await self._hang("before", line)
        self._write(line)
        await self._hang("after", line)
        self._maybe_fail("-".join(line.split()[:2]))

    async def _hang(self, moment: str, line: str) -> None:
        name = f"{moment} {line}".replace(" ", "-")
        plan = self.directory / f"hang-{name}"
        if plan.exists():
            plan.rename(self.directory / f"hanging-{name}")
            await asyncio.Event().wait()

    @effect("voyage.step")
    def _write(self, line: str) -> None:
        with (self.directory / "log").open("a") as log:
            log.write(f"{line} | {current_call().idempotency_key} {current_call().trace}\n")

    def _maybe_fail(self, step: str) -> None:
        plan = self.directory / f"fail-{step}"
        lines = plan.read_text().split() if plan.exists() else []
        if not lines:
            return
        plan.write_text(" ".join(lines[1:]))
        if lines[0] == "bug":
            raise KeyError("a bug")
        raise Problem(int(lines[0]), f"{step} failed", "as planned")

    async def _state(self, voyage: str, state: str) -> None:
        await self.store.commit(lambda tx: tx.put(self.voyages, voyage, Voyage(state=state)))

    async def begin(self, voyage: str) -> None:
        def decide(tx: Transaction) -> None:
            start = Start(
                procedure_id=f"op-{voyage}",
                name="sail",
                version=self.procedures.newest("sail"),
                subject=voyage,
                trace="7" * 32,
            )
            tx.put(self.voyages, voyage, Voyage(state="SAILING"))
            self.procedures.begin(tx, self.outbox, start)

        await self.store.commit(decide)

    async def run(self, voyages: list[str], until: str) -> None:
        await self.procedures.start()
        await self.outbox.start()
        for voyage in voyages:
            await self.begin(voyage)
        deadline = self.loop.time() + (AMPLE if until in self.voyages else float(until))
        while self.loop.time() < deadline and self._goes_on(until):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # what should not happen has its time to happen
        print({name: voyage.state for name, voyage in self.voyages._durable.items()}, flush=True)
        if not any(v.state == "SAILING" for v in self.voyages.values()):
            os._exit(0)
        await self.outbox.close()
        await self.procedures.close()
        self.store.close()

    def _goes_on(self, until: str) -> bool:
        awaited = [self.voyages.get(until)] if until in self.voyages else self.voyages.values()
        return any(voyage.state == "SAILING" for voyage in awaited)


async def main() -> None:
    directory, newest, until, *voyages = sys.argv[1:]
    await Ship(Path(directory), int(newest)).run(voyages, until)


if __name__ == "__main__":
    asyncio.run(main())
