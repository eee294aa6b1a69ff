"""The operator is killed at random instants of two operations, and both are done all the same."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Iterator

import pytest

from hanse.refpoints.mm1.lifecycle import LcmOperation
from tests.faults.lives import ask, completed, created, deleted
from tests.faults.operators import LoneOperator
from tests.faults.packages import FIRST, SECOND, Place
from tests.faults.remains import assert_gone, assert_runs_once, assert_unmentioned

KILLS = int(os.environ.get("HANSE_FAULT_ROUNDS", "100"))
BEYOND = 1.2
"""The instants lie in so much of the time that an operation took undisturbed: what follows it is hit too."""

pytestmark = pytest.mark.timeout(240)


class Succession:
    """An instance runs at each of two places in turn: while one is brought up, the one before it is taken down."""

    def __init__(self, operator: LoneOperator) -> None:
        self.operator = operator
        self.longest: dict[LcmOperation, float] = {}
        self.whole = True
        """Whether the last round came to its end: the next one begins where it ended."""
        self._app_d_ids: dict[Place, str] = {}
        self._place, self._standing = SECOND, ""

    async def begin(self) -> None:
        """On-board both apps, measure an instantiation and a termination, and bring the first instance up."""
        for place in (FIRST, SECOND):
            self._app_d_ids[place] = await self.operator.on_board("beacon", variant=place.name, place=place)
        for operation in (LcmOperation.INSTANTIATE, LcmOperation.TERMINATE, LcmOperation.INSTANTIATE):
            self._standing = self._standing or await created(self.operator, self._app_d_ids[self._place])
            began = time.monotonic()
            await completed(self.operator, operation, self._standing)
            self.longest[operation] = BEYOND * (time.monotonic() - began)

    async def round(self, instants: random.Random) -> None:
        """Bring the next one up and take this one down, killed in the midst of both."""
        self.whole = False
        old, old_place = self._standing, self._place
        new_place = FIRST if old_place is SECOND else SECOND
        new = await created(self.operator, self._app_d_ids[new_place])
        operations = {LcmOperation.INSTANTIATE: new, LcmOperation.TERMINATE: old}
        await self._killed_during(operations, instants)
        await asyncio.gather(*(completed(self.operator, operation, which) for operation, which in operations.items()))
        await assert_runs_once(self.operator, new, new_place)
        await assert_gone(self.operator, old, old_place)
        assert [path.name for path in self.operator.instances.glob("*")] == [new]
        await deleted(self.operator, old)
        await assert_unmentioned(self.operator, old)
        self._standing, self._place, self.whole = new, new_place, True

    async def _killed_during(self, operations: dict[LcmOperation, str], instants: random.Random) -> None:
        """Ask for each so long before the kill as its own instant says, and start the operator again."""
        before = {operation: instants.random() * self.longest[operation] for operation in operations}
        last = max(before.values())

        async def asked(operation: LcmOperation, identifier: str) -> None:
            await asyncio.sleep(last - before[operation])
            await ask(self.operator, operation, identifier)

        asking = asyncio.gather(*(asked(operation, which) for operation, which in operations.items()))
        await asyncio.sleep(last)
        self.operator.kill()
        await asking
        await self.operator.start()


@pytest.fixture(scope="module")
def succession(operator: LoneOperator) -> Iterator[Succession]:
    made = Succession(operator)
    asyncio.run(made.begin())
    yield made
    print(f"{KILLS} kills within {made.longest} s")


@pytest.mark.parametrize("seed", range(KILLS))
async def test_an_operator_killed_at_any_instant_finishes_what_it_was_asked_for(
    succession: Succession, seed: int
) -> None:
    """Each seed is one kill, at an instant of an instantiation and at another one of a termination."""
    assert succession.whole, "a round before this one failed: there is nothing to begin with"
    await succession.round(random.Random(seed))
