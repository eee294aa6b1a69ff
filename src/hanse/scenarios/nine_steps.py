"""The nine steps of ETSI GR MEC 035, 6.5.2: told as they cross the reference points, checked when all are on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from hanse.kit.contract.observe import Message
from hanse.kit.telemetry.procedures import Procedure
from hanse.scenarios.asking import Asked, crossed, on_record, served_by
from hanse.scenarios.outcome import Record
from hanse.scenarios.stage import Stage
from hanse.scenarios.waiting import awaited

STEPS = {
    1: ("Mp1", "find_services", "the app asks its own platform for the service"),
    2: ("Mm5", "find_service", "the platform does not have it and asks its manager"),
    3: ("Mm3", "find_service", "the manager asks the orchestrator"),
    4: ("Mfm-fed", "find_members", "the system does not have it: which systems of the federation do?"),
    5: ("Mff-fed", "offered_systems", "the federation managers agree on what may be known"),
    6: ("Meo-fed", "platforms", "the orchestrators speak: which platforms, which services (6, 7)"),
    9: ("Mpp-fed", "consume", "the service is consumed from platform to platform"),
}
"""Steps of 6.5.2 that are messages; 7 is the answer to 6, and 8 is the decision of the orchestrator."""

_LAST_WORDS = 3.0
"""Seconds until all that crossed has been told; what comes later is in the journals all the same."""


@asynccontextmanager
async def watched(stage: Stage, record: Record) -> AsyncIterator[None]:
    """Tell each message when it has crossed its reference point, with the step of 6.5.2 that it is."""
    told: list[Message] = []
    points = {point for point, _, _ in STEPS.values()}
    numbers = {(point, operation): number for number, (point, operation, _) in STEPS.items()}

    async def follow() -> None:
        async with aclosing(stage.live()) as messages:
            async for m in messages:
                if m.reference_point in points:
                    number = numbers.pop((m.reference_point, m.operation), None)
                    mark = f"{number}." if number else ""
                    record.step(f"{mark:>3} {m.reference_point:8} {m.sender} → {m.receiver}: {m.operation} {m.status}")
                    told.append(m)

    async def whole() -> bool:
        return not numbers and bool(served_by(told))

    following = asyncio.create_task(follow())
    try:
        yield
        await awaited(whole, bool, _LAST_WORDS)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def with_all_steps(stage: Stage, asked: Asked) -> Procedure | None:
    """The procedure of a request, once all steps are on record; without them if they do not come in time.

    Each process writes its journal by itself, and a later one maybe first.
    """

    async def look() -> Procedure | None:
        return (await on_record(stage, asked))[0]

    return await awaited(look, lambda found: not missing_steps(found))


def check_steps(procedure: Procedure | None, record: Record, name: str) -> None:
    """Each step of the procedure of a device's request."""
    missing = missing_steps(procedure)
    for number, (point, _, meaning) in STEPS.items():
        record.check(f"{name}, step {number} of 6.5.2 over {point}", number not in missing, meaning)


def missing_steps(procedure: Procedure | None) -> set[int]:
    """Those that are not on record."""
    seen = {(m.reference_point, m.operation) for m in crossed(procedure)}
    return {number for number, (point, operation, _) in STEPS.items() if (point, operation) not in seen}
