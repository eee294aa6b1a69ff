"""Steps: each is run to a result or a problem, which DBOS keeps, so that it is not run again once it has ended."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec

from hanse.kit.contract.call import continuing
from hanse.kit.problems import Problem
from hanse.kit.procedures.words import Start, Step

log = logging.getLogger("hanse.procedures")

RETRY_STATUSES = frozenset((408, 429, 502, 503, 504, 507))
"""A step that fails with one of these is tried again; any other problem ends it."""


class DurableSteps:
    """The steps of one procedure, in the order in which its body asks for them."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._count = 0
        self._undo: list[tuple[Step, tuple[str, ...]]] = []

    async def run(self, step: Step, *arguments: str, undo: Step | None = None, patience: float = 60.0) -> Any:
        """Run a step; see `Steps.run`."""
        from dbos import DBOS

        if undo is not None:
            self._undo.append((undo, arguments))

        self._count += 1
        key = f"{self._start.procedure_id}-{self._count}-{step.__name__}"

        async def attempt() -> str:
            return await _outcome(step, arguments, self._start, key, patience)

        outcome = msgspec.json.decode(await DBOS.run_step_async({"name": step.__name__}, attempt))
        if "problem" in outcome:
            problem = outcome["problem"]
            raise Problem(problem["status"], problem["title"], problem["detail"])
        return outcome.get("result")

    async def undo_all(self) -> None:
        """Undo what was done, last first; an undo that fails is logged and does not stop the others."""
        while self._undo:
            step, arguments = self._undo.pop()
            try:
                await self.run(step, *arguments)
            except Problem as problem:
                log.warning("undoing %s of %s failed: %s", step.__name__, self._start.subject, problem)


async def _outcome(step: Step, arguments: tuple[str, ...], start: Start, key: str, patience: float) -> str:
    """Run a step to its result or its problem, as JSON: DBOS keeps nothing else. Its calls go under one key."""
    deadline = asyncio.get_running_loop().time() + patience
    pause = 0.05
    while True:
        try:
            with continuing(start.trace, idempotency_key=key, patience=patience):
                return msgspec.json.encode({"result": await step(*arguments)}).decode()
        except Problem as problem:
            late = asyncio.get_running_loop().time() + pause > deadline
            if problem.status not in RETRY_STATUSES or late:
                return msgspec.json.encode({"problem": problem.details()}).decode()
        except Exception as error:
            log.exception("step %s of %s failed", step.__name__, start.subject)
            return msgspec.json.encode({"problem": Problem(500, "Internal error", repr(error)).details()}).decode()
        await asyncio.sleep(pause)
        pause = min(pause * 2, 2.0)
