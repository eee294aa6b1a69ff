"""What a scenario checks of the journals is on record by then, in whatever order processes write them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hanse.elements.ue import Answer
from hanse.kit.contract.observe import Message
from hanse.kit.telemetry.journal import Journal
from hanse.kit.telemetry.procedures import procedures
from hanse.kit.telemetry.reader import read
from hanse.scenarios.asking import Asked
from hanse.scenarios.nine_steps import STEPS, missing_steps, with_all_steps
from tests.bounds import SOON

TRACE = "5" * 32


def message(number: int, receiver: str, operator: str) -> Message:
    """What crossed at a step of 6.5.2."""
    point, operation, _ = STEPS[number]
    return Message(
        operator=operator,
        trace=TRACE,
        span=f"{number:016d}",
        reference_point=point,
        sender="somebody",
        receiver=receiver,
        operation=operation,
        method="GET",
        path="/",
        status=200,
    )


async def test_a_step_that_is_written_after_a_later_one_is_waited_for(tmp_path: Path) -> None:
    stage: Any = SimpleNamespace(procedures=lambda: procedures(read([tmp_path])))
    asked = Asked("alice", "1234", Answer(200, {}, b"{}"), TRACE)
    last, *earlier = sorted(STEPS, reverse=True)
    with Journal(tmp_path, "mep.valley") as south, Journal(tmp_path, "all") as north:
        south.saw(message(last, "mep.valley", "south"))
        waiting = asyncio.create_task(with_all_steps(stage, asked))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        for number in earlier:
            north.saw(message(number, "meo", "north"))
        found = await asyncio.wait_for(waiting, SOON)
    assert not missing_steps(found)
