"""What has ended is forgotten after its time, again and again, and one that fails keeps no other back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hanse.assembly import forgetting as module
from hanse.assembly.forgetting import Forgetting
from hanse.assembly.log_file import LogFile
from hanse.kit.problems import Problem

DAY = 86_400.0
NOW = 1_000 * DAY


class Keeper:
    """Keeps what ended at some moments."""

    def __init__(self, *moments: float) -> None:
        self.kept = list(moments)
        self.error: Exception | None = None

    async def forget(self, before: float) -> int:
        if self.error is not None:
            raise self.error
        old = [moment for moment in self.kept if moment < before]
        self.kept = [moment for moment in self.kept if moment >= before]
        return len(old)


@pytest.fixture
def forgetting(tmp_path: Path) -> Forgetting:
    return Forgetting(LogFile(tmp_path / "all.log", 1000))


async def test_each_kind_is_kept_for_its_own_time(forgetting: Forgetting) -> None:
    operations, procedures = (Keeper(*(NOW - days * DAY for days in (1, 8, 29, 31))) for _ in range(2))
    forgetting.add(30 * DAY, operations.forget)
    forgetting.add(7 * DAY, procedures.forget)
    assert await forgetting.go_round(NOW) == 4
    assert [(NOW - moment) / DAY for moment in operations.kept] == [1, 8, 29]
    assert [(NOW - moment) / DAY for moment in procedures.kept] == [1]


@pytest.mark.parametrize("error", [Problem(507, "The store cannot be written", "full"), OSError("gone")])
async def test_one_that_fails_keeps_no_other_back_and_is_tried_again(forgetting: Forgetting, error: Exception) -> None:
    failing, other = Keeper(0.0), Keeper(0.0)
    failing.error = error
    forgetting.add(DAY, failing.forget)
    forgetting.add(DAY, other.forget)
    assert await forgetting.go_round(NOW) == 1
    failing.error = None
    assert await forgetting.go_round(NOW) == 1


async def test_it_goes_round_again_and_again_until_it_is_told_to_stop(
    forgetting: Forgetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK", 0.01)
    monkeypatch.setattr(module, "ROUND", 0.02)
    rounds, twice = 0, asyncio.Event()

    async def forget(_before: float) -> int:
        nonlocal rounds
        rounds += 1
        if rounds == 2:
            twice.set()
        return 0

    forgetting.add(DAY, forget)
    await forgetting.start_up()
    await asyncio.wait_for(twice.wait(), 20)
    await forgetting.shut_down()
    ended = rounds
    await asyncio.sleep(0.1)
    assert rounds == ended
