"""What a scenario found out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hanse.kit.values import Value

Tell = Callable[[str], None]


class Check(Value):
    """One thing that had to hold."""

    name: str
    passed: bool
    detail: str = ""


class Outcome(Value):
    """A scenario's checks and figures; it passed if every check did."""

    scenario: str
    passed: bool
    checks: tuple[Check, ...]
    figures: dict[str, Any] = {}


class Record:
    """Gathers checks and figures while a scenario runs, and tells each step as it happens."""

    def __init__(self, scenario: str, tell: Tell | None) -> None:
        self._scenario = scenario
        self._tell = tell
        self._checks: list[Check] = []
        self._figures: dict[str, Any] = {}
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Tell what happens."""
        if self._tell is not None:
            self._tell(text)

    def step(self, text: str) -> None:
        """Tell a step, with the seconds since the beginning."""
        self.say(f"{time.monotonic() - self._began:6.2f} s  {text}")

    def check(self, name: str, passed: bool, detail: str = "") -> None:
        """Note a check; one that fails is told at once."""
        self._checks.append(Check(name=name, passed=passed, detail=detail))
        mark = "ok  " if passed else "FAIL"
        self.say(f"            {mark} {name}" + (f": {detail}" if detail else ""))

    def figure(self, name: str, value: object) -> None:
        """Note a figure."""
        self._figures[name] = value

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how many seconds something took."""
        began = time.monotonic()
        yield
        self._figures[name] = round(time.monotonic() - began, 3)

    def outcome(self) -> Outcome:
        """What came of it."""
        passed = bool(self._checks) and all(check.passed for check in self._checks)
        return Outcome(scenario=self._scenario, passed=passed, checks=tuple(self._checks), figures=dict(self._figures))
