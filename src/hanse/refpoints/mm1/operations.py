"""The operations that an element has going on its instances: begun with their procedures, forgotten once they are old.

The orchestrator and each platform manager keep occurrences of their own (ETSI GS MEC 010-2 V3.1.1, 5.4.2), by one rule.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hanse.kit.outbox import Outbox
from hanse.kit.procedures import Procedures, Start
from hanse.kit.store import Shelf, Transaction
from hanse.refpoints.mm1.lifecycle import InstantiationState, OperateAppRequest, OperationalState
from hanse.refpoints.mm1.occurrence import Occurrence, check_may_begin, check_operate


@dataclass(frozen=True)
class Operations:
    """Occurrences of one element; its procedures are called ``ELEMENT.OPERATION``, as in ``mepm.harbour.terminate``."""

    element: str
    shelf: Shelf[Occurrence]
    outbox: Outbox
    procedures: Procedures

    def live(self, tx: Transaction, app_instance_id: str) -> Occurrence | None:
        """The operation that goes on, on an instance; there is one at most."""
        found = (o for o in tx.values(self.shelf) if o.app_instance_id == app_instance_id and o.live)
        return next(found, None)

    def begin(
        self,
        tx: Transaction,
        begins: Occurrence,
        request: object,
        state: InstantiationState,
        running: OperationalState | None,
    ) -> None:
        """Record an operation and begin its procedure in one commit.

        ``state`` and ``running`` are those of its instance; 409 if they do not allow it, or another operation goes on.
        """
        check_may_begin(begins.operation, state, self.live(tx, begins.app_instance_id))
        if isinstance(request, OperateAppRequest):
            check_operate(request, running)
        tx.put(self.shelf, begins.id, begins)
        self.begin_procedure(tx, begins.operation.lower(), begins.id, begins.id, begins.trace)

    def begin_procedure(self, tx: Transaction, name: str, procedure_id: str, subject: str, trace: str = "") -> None:
        """Begin one of the element's procedures in its newest version."""
        full = f"{self.element}.{name}"
        version = self.procedures.newest(full)
        start = Start(procedure_id=procedure_id, name=full, version=version, subject=subject, trace=trace)
        self.procedures.begin(tx, self.outbox, start)

    def forget_of(self, tx: Transaction, app_instance_id: str) -> None:
        """Forget all operations on an instance that is forgotten itself."""
        for occurrence in [o for o in tx.values(self.shelf) if o.app_instance_id == app_instance_id]:
            tx.delete(self.shelf, occurrence.id)

    def forget_ended(self, tx: Transaction, before: float, keep: Collection[str] = ()) -> int:
        """Forget what had ended before that moment (Unix seconds), but for those of ``keep``; how many.

        An occurrence may be removed once it has ended (5.4.2).
        """
        old = [o for o in tx.values(self.shelf) if not o.live and o.entered < before and o.id not in keep]
        for occurrence in old:
            tx.delete(self.shelf, occurrence.id)
        return len(old)
