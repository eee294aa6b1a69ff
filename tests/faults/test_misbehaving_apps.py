"""Apps that misbehave harm themselves only, and whoever started them learns why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import bring_up, take_down
from hanse.kit.problems import Problem
from tests.faults.operators import CONFIGURATION, LoneOperator
from tests.faults.remains import has_said, until
from tests.lifetime import lifetime

KEPT = 1024 * 1024
"""Bytes of output that are kept of an app; at most twice as many lie on disk."""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneOperator]:
    """An operator that waits for no app; only one that never comes may be given to it."""
    impatient = CONFIGURATION.replace('memory = "4 GiB"', 'memory = "4 GiB"\nready_patience = 1.5')
    with lifetime(LoneOperator(tmp_path_factory.mktemp("operator"), impatient), LoneOperator.start) as lone:
        yield lone


async def why_it_failed(operator: LoneOperator, program: str) -> Problem:
    app_d_id = await operator.on_board(program)
    async with administration(operator.settings) as oss:
        with pytest.raises(Problem) as failed:
            await bring_up(oss.lifecycle, app_d_id)
        assert await oss.lifecycle.list_instances() == []
        assert (await oss.overview.overview()).system.hosts[0].workloads == 0
    assert operator.apps() == []
    assert not list(operator.instances.glob("*"))
    return failed.value


async def test_an_app_that_exits_at_once_fails_with_its_last_words(operator: LoneOperator) -> None:
    problem = await why_it_failed(operator, "exits")
    assert problem.title == "App ended before it was ready"
    assert "exit code 1" in problem.detail
    assert "the engine does not start" in problem.detail


async def test_an_app_that_never_confirms_fails_when_its_patience_is_over(hasty: LoneOperator) -> None:
    problem = await why_it_failed(hasty, "silent")
    assert problem.title == "App never confirmed that it is ready"
    assert "1.5 s for confirm_ready" in problem.detail


async def test_an_app_that_floods_its_output_runs_and_fills_no_disk(operator: LoneOperator) -> None:
    app_d_id = await operator.on_board("floods")
    async with administration(operator.settings) as oss:
        identifier = await bring_up(oss.lifecycle, app_d_id)
        assert await until(lambda: has_said(operator, identifier, "ready on"))
        assert size(operator.instances / identifier) <= 2 * KEPT + 64 * 1024
        await take_down(oss.lifecycle, identifier)
    assert operator.apps() == []


def size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
