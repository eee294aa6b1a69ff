"""The log of procedures does not grow for ever, and what is forgotten of it is nothing that still goes on."""

from __future__ import annotations

import ast
import asyncio
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import cast

import pytest

import hanse
from hanse.kit.outbox import Outbox
from hanse.kit.procedures import DurableProcedures, Start
from hanse.kit.store import Store
from tests.unit.kit.test_procedures import KILLED, SAILED, Sea

PROGRAM = "tests.unit.kit.forgetful"
ROOT = Path(hanse.__file__).parents[2]
YEAR = 365 * 86_400.0
COLUMNS = "workflow_uuid, status, created_at, updated_at, completed_at"
LONG_AGO = f"INSERT INTO workflow_status ({COLUMNS}) VALUES (?, ?, 0, 0, ?)"

pytestmark = pytest.mark.timeout(600)  # several processes, one after the other


async def forgetful(sea: Sea, ended: int, *voyages: str, kill: str = "") -> tuple[int, int] | None:
    """What the program says: how many young and how many ended procedures it forgot; nothing if it was killed."""
    orders = {"HANSE_FAILPOINT": str(sea.path / "failpoint"), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    (sea.path / "failpoint").unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", PROGRAM, str(sea.path), str(ended), kill, *voyages),
        env=os.environ | orders,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 200)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == (KILLED if kill else 0)
    return None if kill else cast("tuple[int, int]", ast.literal_eval(output.decode()))


def rows(sea: Sea) -> dict[str, set[str]]:
    """The procedures of which the log tells, by its tables."""
    with sqlite3.connect(f"file:{sea.path / 'procedures.db'}?mode=ro", uri=True) as log:
        return {
            table: {row[0] for row in log.execute(f"SELECT workflow_uuid FROM {table}")}
            for table in ("workflow_status", "operation_outputs")
        }


async def test_what_ended_is_forgotten_with_its_steps_and_what_goes_on_ends_after_a_restart(tmp_path: Path) -> None:
    sea = Sea(tmp_path)
    sea.hang("before", "cross", "three")
    assert await forgetful(sea, 2, "one", "two", "three") == (0, 2), "the young one, the two that ended, and no more"
    assert rows(sea) == {"workflow_status": {"op-three"}, "operation_outputs": {"op-three"}}
    await sea.run()
    assert sea.states[-1] == {"one": "ARRIVED", "two": "ARRIVED", "three": "ARRIVED"}
    assert [sea.lines(voyage) for voyage in ("one", "two", "three")] == [SAILED] * 3


@pytest.mark.parametrize(("moment", "left"), [("before", 2), ("after", 1)])
async def test_killed_while_it_forgets_it_forgets_the_rest_later_and_nothing_is_done_twice(
    tmp_path: Path, moment: str, left: int
) -> None:
    sea = Sea(tmp_path)
    sea.hang("before", "cross", "three")
    await forgetful(sea, 2, "one", "two", "three", kill=f"procedures.commit:{moment}")
    for procedures in rows(sea).values():
        assert len(procedures - {"op-three"}) == left, "each is there with its steps, or not at all"
    assert await forgetful(sea, left + 1) == (0, left + 1)
    assert [sea.lines(voyage) for voyage in ("one", "two", "three")] == [SAILED] * 3
    assert set.union(*rows(sea).values()) == set()


async def test_one_that_may_be_begun_again_is_remembered_however_old(tmp_path: Path) -> None:
    store, path = Store(), tmp_path / "p.db"
    outbox, procedures = Outbox(store), DurableProcedures(path, "x")
    await store.commit(
        lambda tx: procedures.begin(tx, outbox, Start(procedure_id="0", name="sail", version=1, subject="adler"))
    )
    await procedures.start()
    try:
        with sqlite3.connect(path) as log:
            log.executemany(LONG_AGO, [(str(number), "SUCCESS", 1) for number in range(3)])
            log.execute(LONG_AGO, ("goes on", "PENDING", None))
        assert await procedures.forget_ended(time.time() - YEAR, [outbox]) == 2
        assert await procedures.forget_ended(time.time() - YEAR) == 1, "once it does not wait any more"
        with sqlite3.connect(path) as log:
            assert [row[0] for row in log.execute("SELECT workflow_uuid FROM workflow_status")] == ["goes on"]
    finally:
        await procedures.close()
        store.close()
