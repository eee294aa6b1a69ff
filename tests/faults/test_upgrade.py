"""An upgrade to a changed procedure strands nobody: what is pending ends on its old path, what is new takes the new."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanse.refpoints.mm1.lifecycle import LcmOperation
from tests.faults.lives import ask, completed, created
from tests.faults.next_release import INSPECTED
from tests.faults.operators import LoneOperator
from tests.faults.remains import assert_nothing_at_the_host, assert_runs_once

pytestmark = pytest.mark.timeout(120)


async def test_an_upgrade_finishes_the_operations_that_are_pending(tmp_path: Path) -> None:
    operator = LoneOperator(tmp_path)
    try:
        await operator.start()
        app_d_id = await operator.on_board("beacon")
        pending = await created(operator, app_d_id)
        operator.arm("mepm.configure:after")  # killed between two steps of version 1
        await ask(operator, LcmOperation.INSTANTIATE, pending)
        assert await operator.death()

        await operator.start(module="tests.faults.next_release")
        await completed(operator, LcmOperation.INSTANTIATE, pending)
        await assert_runs_once(operator, pending)
        assert inspected(tmp_path) == []
        await completed(operator, LcmOperation.TERMINATE, pending)
        await assert_nothing_at_the_host(operator, pending)

        new = await created(operator, app_d_id)
        await completed(operator, LcmOperation.INSTANTIATE, new)
        await assert_runs_once(operator, new)
        assert inspected(tmp_path) == [new]
    finally:
        operator.clear()


async def test_an_operation_under_a_version_that_a_downgrade_does_not_know_waits(tmp_path: Path) -> None:
    operator = LoneOperator(tmp_path)
    try:
        await operator.start(module="tests.faults.next_release")
        identifier = await created(operator, await operator.on_board("beacon"))
        operator.arm("mepm.grant:before")
        await ask(operator, LcmOperation.INSTANTIATE, identifier)
        assert await operator.death()

        await operator.start()  # does not know version 2
        with pytest.raises(AssertionError, match="PROCESSING"):
            await completed(operator, LcmOperation.INSTANTIATE, identifier, patience=2.0)
        operator.kill()

        await operator.start(module="tests.faults.next_release")
        await completed(operator, LcmOperation.INSTANTIATE, identifier)
        await assert_runs_once(operator, identifier)
        assert inspected(tmp_path) == [identifier]
    finally:
        operator.clear()


def inspected(directory: Path) -> list[str]:
    file = directory / INSPECTED
    return file.read_text().split() if file.exists() else []
