"""Procedures on DBOS Transact: one instance a process, hidden behind this module."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem
from hanse.kit.procedures.forgetting import forget_ended
from hanse.kit.procedures.steps import DurableSteps
from hanse.kit.procedures.words import Body, Start, Step
from hanse.kit.store import Transaction

if TYPE_CHECKING:
    from dbos import DBOS

log = logging.getLogger("hanse.procedures")


class _Registered:
    def __init__(self, body: Body, failed: Step | None) -> None:
        self.body = body
        self.failed = failed


class DurableProcedures:
    """Procedures that DBOS runs, with its log in one SQLite file of this process."""

    def __init__(self, path: Path, executor: str) -> None:
        self._path = path
        self._executor = executor
        self._known: dict[tuple[str, int], _Registered] = {}
        self._newest: dict[str, int] = {}
        self._dbos: type[DBOS] | None = None
        self._workflow: Any = None
        self._running: set[asyncio.Task[Any]] = set()

    def register(self, name: str, body: Body, *, version: int = 1, failed: Step | None = None) -> None:
        """Make a procedure known; see `Procedures.register`."""
        self._known[name, version] = _Registered(body, failed)
        self._newest[name] = max(version, self._newest.get(name, 0))

    def newest(self, name: str) -> int:
        """The version under which a procedure is begun now; see `Procedures.newest`."""
        return self._newest[name]

    def begin(self, tx: Transaction, outbox: Outbox, start: Start) -> None:
        """Begin a procedure; see `Procedures.begin`."""
        outbox.emit(tx, "procedure", f"procedure {start.procedure_id}", start)

    async def start(self) -> None:
        """Launch DBOS; it takes up what an earlier run of this executor left unfinished."""
        from dbos import DBOS

        from hanse.kit.procedures.log import LogConnection
        from hanse.kit.procedures.serializer import JsonSerializer

        logging.getLogger("dbos").setLevel(logging.ERROR)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        DBOS(
            config={
                "name": "hanse",
                "system_database_url": f"sqlite:///{self._path}",
                "db_engine_kwargs": {"connect_args": {"factory": LogConnection}},
                "application_version": "1",  # constant: an upgrade must not strand what is pending
                "executor_id": self._executor,
                "log_level": "ERROR",
                "serializer": JsonSerializer(),
            }
        )
        self._dbos = DBOS

        async def procedure(text: str) -> None:
            await self._run(text)

        self._workflow = DBOS.workflow(name="hanse.procedure")(procedure)
        DBOS.launch()

    async def close(self) -> None:
        """Stop every procedure where it is and let go of DBOS; unfinished ones wait for the next run."""
        for task in (running := list(self._running)):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._dbos is not None:
            dbos, self._dbos = self._dbos, None
            # DBOS made its own pool that of the loop, and ends it: whoever closes after us needs one that lives.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
            await asyncio.to_thread(dbos.destroy, destroy_registry=True)

    async def forget_ended(self, before: float, outboxes: Iterable[Outbox] = ()) -> int:
        """Forget procedures that had ended before that moment (Unix seconds); how many.

        Those whose beginning still waits in an outbox stay: handed to DBOS again, they must be known.
        """
        waiting = (body for outbox in outboxes for body in outbox.waiting("procedure"))
        keep = {msgspec.json.decode(body, type=Start).procedure_id for body in waiting}
        return 0 if self._dbos is None else await forget_ended(self._dbos, before, keep)

    async def launch(self, body: bytes) -> None:
        """Handler of the outbox's topic ``procedure``: hand a committed beginning to DBOS."""
        from dbos import SetWorkflowID

        start = msgspec.json.decode(body, type=Start)
        if self._dbos is None:
            raise Problem(503, "Procedures are not running")
        with SetWorkflowID(start.procedure_id):
            await self._dbos.start_workflow_async(self._workflow, body.decode())

    async def _run(self, text: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._carry_out(msgspec.json.decode(text, type=Start))
        finally:
            self._running.discard(task)

    async def _carry_out(self, start: Start) -> None:
        registered = self._known.get((start.name, start.version))
        if registered is None:  # to raise would end it for ever: it waits for a run that knows it
            log.error("%s version %d is not known here; register it to finish %s", *_named(start))
            await asyncio.Event().wait()
            return
        steps = DurableSteps(start)
        problem = await _problem_of(registered.body, steps, start)
        if problem is None:
            return
        log.warning("%s version %d of %s failed: %s", *_named(start), problem)
        await steps.undo_all()
        if registered.failed is not None:
            await steps.run(registered.failed, start.subject, problem.encode().decode())


def _named(start: Start) -> tuple[str, int, str]:
    return start.name, start.version, start.subject


async def _problem_of(body: Body, steps: DurableSteps, start: Start) -> Problem | None:
    """Run a body to its end; an error in its own lines ends it as a problem would. Errors of DBOS are left to it."""
    try:
        await body(steps, start.subject)
    except Problem as problem:
        return problem
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "dbos":
            raise
        log.exception("%s version %d of %s has an error", *_named(start))
        return Problem(500, "Internal error", repr(error))
    return None
