"""Procedures that run at once, over a real outbox: the order of steps, their undoing, one run for one id."""

from __future__ import annotations

from typing import Any

import msgspec

from hanse.kit.contract.call import continuing
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem
from hanse.kit.procedures import Body, Start, Step
from hanse.kit.store import Transaction


class InlineProcedures:
    """Runs each procedure when its beginning is delivered; ``ran`` are the steps, those of an undoing too."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[Body, Step | None]] = {}
        self._newest: dict[str, int] = {}
        self._begun: set[str] = set()
        self.ran: list[str] = []

    def register(self, name: str, body: Body, *, version: int = 1, failed: Step | None = None) -> None:
        self._known[name, version] = (body, failed)
        self._newest[name] = max(version, self._newest.get(name, 0))

    def newest(self, name: str) -> int:
        return self._newest[name]

    def begin(self, tx: Transaction, outbox: Outbox, start: Start) -> None:
        outbox.handle("procedure", self._launch)
        outbox.emit(tx, "procedure", f"procedure {start.procedure_id}", start)

    async def _launch(self, event: bytes) -> None:
        start = msgspec.json.decode(event, type=Start)
        if start.procedure_id in self._begun:
            return
        self._begun.add(start.procedure_id)
        body, failed = self._known[start.name, start.version]
        steps = _InlineSteps(start, self.ran)
        try:
            await body(steps, start.subject)
        except Exception as error:
            problem = error if isinstance(error, Problem) else Problem(500, "Internal error", repr(error))
            await steps.undo_all()
            if failed is not None:
                await failed(start.subject, problem.encode().decode())


class _InlineSteps:
    def __init__(self, start: Start, ran: list[str]) -> None:
        self._start = start
        self._ran = ran
        self._undo: list[tuple[Step, tuple[str, ...]]] = []

    async def run(self, step: Step, *arguments: str, undo: Step | None = None, patience: float = 60.0) -> Any:
        if undo is not None:
            self._undo.append((undo, arguments))
        self._ran.append(step.__name__)
        with continuing(self._start.trace, idempotency_key=f"{self._start.procedure_id}-{len(self._ran)}"):
            return await step(*arguments)

    async def undo_all(self) -> None:
        while self._undo:
            step, arguments = self._undo.pop()
            self._ran.append(f"undo: {step.__name__}")
            try:
                await step(*arguments)
            except Problem:
                continue
