"""What DBOS remembers of procedures that have ended: needed for a while, as one begun twice must not run twice."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbos import DBOS

ENDED = ["SUCCESS", "ERROR", "CANCELLED"]
"""Statuses after which a procedure does nothing more."""
AT_ONCE = 200
"""Procedures that are forgotten in one transaction: others wait for it no longer than for some commits."""


async def forget_ended(dbos: type[DBOS], before: float, keep: Collection[str] = ()) -> int:
    """Forget procedures that had ended before that moment (Unix seconds), but for those of ``keep``; how many.

    Each transaction takes whole procedures with their steps, so whatever ends it in the midst leaves the others whole.
    """
    moment, forgotten = datetime.fromtimestamp(before, UTC).isoformat(), 0
    while True:
        found = await dbos.list_workflows_async(
            status=ENDED,
            completed_before=moment,
            limit=AT_ONCE + len(keep),
            load_input=False,
            load_output=False,
        )
        old = [procedure.workflow_id for procedure in found if procedure.workflow_id not in keep]
        if not old:
            return forgotten
        await dbos.delete_workflows_async(old)
        forgotten += len(old)
