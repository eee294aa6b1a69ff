"""The words of a procedure: what an element registers and begins, and what a body does its work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from hanse.kit.outbox import Outbox
from hanse.kit.store import Transaction
from hanse.kit.values import Value

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
