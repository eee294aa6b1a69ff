"""The operator is killed at each commit of an operation: of its stores, and of the log of its procedures."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hanse.refpoints.mm1.lifecycle import LcmOperation
from tests.faults.lives import completed, created, dies_at, ended
from tests.faults.operators import LoneOperator
from tests.faults.remains import assert_runs_once

COMMITS = ("store.commit", "procedures.commit")
MOMENTS = ("before", "after")
FEWEST, MOST = 5, 60
"""No operation has fewer, none as many: the loop ends when the operation has no further one."""


@pytest.mark.timeout(1200)  # a minute on an idle machine
@pytest.mark.parametrize("commit", COMMITS)
async def test_operations_cut_off_at_each_of_their_commits_are_done(tmp_path: Path, commit: str) -> None:
    """Two operators beside each other, one killed before and one after each commit."""
    cut_off = (_cut_off_at_every(LoneOperator(tmp_path / moment), f"{commit}:{moment}") for moment in MOMENTS)
    for counts in await asyncio.gather(*cut_off):
        print(commit, counts)
        assert min(counts.values()) >= FEWEST


async def _cut_off_at_every(operator: LoneOperator, failpoint: str) -> dict[LcmOperation, int]:
    """How many times each operation was cut off."""
    counts = {LcmOperation.INSTANTIATE: 0, LcmOperation.TERMINATE: 0}
    try:
        await operator.start()
        app_d_id = await operator.on_board("beacon")
        for number in range(1, MOST):
            identifier = await created(operator, app_d_id)
            hits = []
            for operation in counts:
                died = await dies_at(operator, f"{failpoint}@{number}", operation, identifier)
                counts[operation] += died
                hits.append(died)
                await completed(operator, operation, identifier)
                if operation is LcmOperation.INSTANTIATE:
                    await assert_runs_once(operator, identifier)
            await ended(operator, identifier)
            if not any(hits):
                return counts
    finally:
        operator.clear()
    raise AssertionError(f"still at commit {MOST}")
