"""Many devices at once: each is served by the platform that is right for its own place, whoever else asks meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hanse.scenarios.asking import ask, crossed, on_record, served_by
from hanse.scenarios.outcome import Record
from hanse.scenarios.stage import Stage

TIMES = 6
"""Requests of each device."""


async def ask_at_once(stage: Stage, record: Record, url: str, right: Mapping[str, str]) -> None:
    """Let several northern devices ask at the same time, interleaved; ``right`` is the platform for each of them."""
    record.step(f"{' and '.join(right)} ask at the same time, {TIMES} times each")
    asked = await asyncio.gather(*(ask(stage.device("north", name), name, url) for _ in range(TIMES) for name in right))
    understood = sum(one.understood for one in asked)
    everybody = understood == len(asked)
    record.check("everybody is told what belongs to his own request", everybody, f"{understood} of {len(asked)}")
    served = [served_by(crossed(procedure)) for procedure in await on_record(stage, *asked)]
    wrong = [
        f"{one.device} by {at or 'nobody'}" for one, at in zip(asked, served, strict=True) if at != right[one.device]
    ]
    detail = ", ".join(wrong) or ", ".join(f"{name} always by {at}" for name, at in right.items())
    record.check("each is served near to his own place, also at the same time", not wrong, detail)
