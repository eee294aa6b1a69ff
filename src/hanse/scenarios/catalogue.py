"""The scenarios that there are, and how one is played."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hanse.assembly.uninterrupted import uninterrupted
from hanse.drivers.compute_process.trees import remove
from hanse.kit.problems import Problem
from hanse.scenarios import u5
from hanse.scenarios.outcome import Outcome, Record, Tell
from hanse.scenarios.stage import Stage


@dataclass(frozen=True)
class Scenario:
    """A scenario: what it shows in one line, and how it is played."""

    summary: str
    play: Callable[[Stage, Record], Coroutine[Any, Any, None]]


SCENARIOS = {
    "u5": Scenario("an app consumes another provider's service in another operator's system", u5.play),
}


def play(name: str, *, separate: bool = False, data_plane: str = "userspace", tell: Tell | None = None) -> Outcome:
    """Play a scenario on operators of its own; whatever happens, nothing of it is left."""
    if name not in SCENARIOS:
        raise Problem(404, f"No scenario {name}", f"there are {', '.join(SCENARIOS)}")
    record = Record(name, tell)
    directory = Path(tempfile.mkdtemp(prefix="hanse-"))
    try:
        _play(SCENARIOS[name], Stage(directory, separate=separate, data_plane=data_plane), record)
    finally:
        uninterrupted(partial(remove, directory))  # hosts keep images read-only
    return record.outcome()


def _play(scenario: Scenario, stage: Stage, record: Record) -> None:
    try:
        asyncio.run(scenario.play(stage, record))
    except Problem as problem:
        record.check("the scenario runs to its end", False, str(problem))
    finally:
        uninterrupted(stage.clear)
    record.check("nothing is left running", not stage.left(), f"{stage.started} processes had been started")
    if stage.data_plane == "nftables":
        spaces = stage.spaces()
        record.check("no network namespace is left", not spaces, ", ".join(spaces))
