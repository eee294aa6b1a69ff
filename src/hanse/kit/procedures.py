"""Durable procedures: sequences of steps that finish even if the process is killed at any line.

A procedure is an async function of `Steps` and a subject (the id of the record that it works on). It is begun by an
event that is committed with that record, under an id of its own; DBOS Transact keeps the result of each finished step
and, after a crash, runs the function again from the top with the finished steps answered from its log. So every step
must be safe to run twice, and everything with an effect must be inside a step.

DBOS is one instance a process and lives behind this module only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from hanse.kit.contract.call import continuing
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem
from hanse.kit.store import Transaction
from hanse.kit.values import Value

if TYPE_CHECKING:
    from dbos import DBOS

log = logging.getLogger("hanse.procedures")

RETRY_STATUSES = frozenset((408, 429, 502, 503, 504, 507))
"""A step that fails with one of these is tried again; any other problem ends it."""

Step = Callable[..., Awaitable[Any]]
Body = Callable[["Steps", str], Awaitable[None]]


class Start(Value):
    """The beginning of a procedure, as it is committed: which one, which version, on what, in which trace."""

    procedure_id: str
    name: str
    version: int
    subject: str
    trace: str = ""


class Steps(Protocol):
    """What a procedure does its work with."""

    async def run(self, step: Step, *arguments: str, undo: Step | None = None, patience: float = 60.0) -> Any:
        """Run a step once, durably; its result is JSON.

        A problem that may pass is retried for ``patience`` seconds. ``undo`` is run with the same arguments, last step
        first, if this step or a later one ends with a problem: a step that failed may have been half done.
        """


class Procedures(Protocol):
    """Where an element registers its procedures and begins them."""

    def register(self, name: str, body: Body, *, version: int = 1, failed: Step | None = None) -> None:
        """Make a procedure known before `start`. Keep a changed one's old body under its old version until drained."""

    def newest(self, name: str) -> int:
        """The version under which a procedure is begun now."""

    def begin(self, tx: Transaction, outbox: Outbox, start: Start) -> None:
        """Begin a procedure once the transaction is on disk; the same id twice is one procedure."""


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

        logging.getLogger("dbos").setLevel(logging.ERROR)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        DBOS(
            config={
                "name": "hanse",
                "system_database_url": f"sqlite:///{self._path}",
                "application_version": "1",  # constant: an upgrade must not strand what is pending
                "executor_id": self._executor,
                "log_level": "ERROR",
                "serializer": _json_serializer(),
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
        steps = _DurableSteps(start)
        problem = await _problem_of(registered.body, steps, start)
        if problem is None:
            return
        log.warning("%s version %d of %s failed: %s", *_named(start), problem)
        await steps.undo_all()
        if registered.failed is not None:
            await steps.run(registered.failed, start.subject, problem.encode().decode())


def _named(start: Start) -> tuple[str, int, str]:
    return start.name, start.version, start.subject


async def _problem_of(body: Body, steps: _DurableSteps, start: Start) -> Problem | None:
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


class _DurableSteps:
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


def _json_serializer() -> Any:
    from dbos import Serializer

    class JsonSerializer(Serializer):
        """JSON instead of DBOS's pickle: what is in the log can be read and cannot run code."""

        def serialize(self, data: Any) -> str:
            return msgspec.json.encode(data, enc_hook=repr).decode()

        def deserialize(self, serialized_data: str) -> Any:
            return msgspec.json.decode(serialized_data)

        def name(self) -> str:
            return "hanse_json"

    return JsonSerializer()
