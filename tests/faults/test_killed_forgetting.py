"""An operator that is killed while it forgets what ended long ago forgets it later, and loses nothing else."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from hanse.refpoints.mm1.lifecycle import LcmOperation
from tests.faults.lives import ask, completed, ended, started
from tests.faults.operators import LoneOperator
from tests.faults.records import rows
from tests.faults.remains import until

LONG_AGO = time.time() - 400 * 86_400
OCCURRENCES = ("meo", "mepm.harbour")
MOMENTS = ("before@1", "after@1", "after@2", "after@3")
"""The orchestrator forgets first, then the manager, then the log of procedures."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("moment", MOMENTS)
async def test_killed_while_it_forgets_it_does_what_is_pending_and_forgets_the_rest(
    operator: LoneOperator, moment: str
) -> None:
    identifier = await started(operator, await operator.on_board("beacon", variant=moment))
    operator.arm("mepm.release:before")
    await ask(operator, LcmOperation.TERMINATE, identifier)
    assert await operator.death()
    old = age(operator)
    assert all(old.values()), "each keeps something that ended"
    operator.begin(f"retention.forget:{moment}")
    assert await operator.death()
    await operator.start()
    assert await until(lambda: not any(old[name] & kept(operator)[name] for name in old)), (
        "all that is old is forgotten"
    )
    async with administration(operator.settings) as oss:
        found = [occurrence.lcm_operation for occurrence in await oss.lifecycle.list_operations()]
    assert found == [LcmOperation.TERMINATE], "what goes on, or has ended just now, is not"
    await completed(operator, LcmOperation.TERMINATE, identifier)
    await ended(operator, identifier)


def kept(operator: LoneOperator) -> dict[str, set[str]]:
    """Operations and procedures that have ended, by who keeps them."""
    found = {}
    for name in OCCURRENCES:
        query = "SELECT key FROM app_lcm_op_occ WHERE json_extract(body, '$.state') IN ('COMPLETED', 'FAILED')"
        found[name] = {key for (key,) in rows(file(operator, name), query)}
    query = "SELECT workflow_uuid FROM workflow_status WHERE status = 'SUCCESS'"
    return found | {"procedures": {key for (key,) in rows(log_of_procedures(operator), query)}}


def age(operator: LoneOperator) -> dict[str, set[str]]:
    """Let all that has ended have ended long ago; what that is, by who keeps it. The operator must not run."""
    old = kept(operator)
    for name in OCCURRENCES:
        with closing(sqlite3.connect(file(operator, name))) as database, database:
            database.executemany(
                "UPDATE app_lcm_op_occ SET body = json_set(body, '$.entered', ?) WHERE key = ?",
                [(LONG_AGO, key) for key in old[name]],
            )
    with closing(sqlite3.connect(log_of_procedures(operator))) as database, database:
        database.execute(
            "UPDATE workflow_status SET completed_at = ? WHERE status = 'SUCCESS'", (int(LONG_AGO * 1000),)
        )
    return old


def file(operator: LoneOperator, element: str) -> Path:
    return operator.settings.directory / f"{element}.sqlite"


def log_of_procedures(operator: LoneOperator) -> Path:
    (found,) = operator.settings.directory.glob("procedures-*.sqlite")
    return found
