"""A scenario passes only if it checked something and every check held."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hanse.scenarios import outcome as module
from hanse.scenarios.outcome import Record


def clock(monkeypatch: pytest.MonkeyPatch, *moments: float) -> None:
    """It says these moments, one after the other."""
    left = iter(moments)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(left)))


def test_a_scenario_that_checked_nothing_has_not_passed() -> None:
    assert not Record("u", None).outcome().passed


def test_one_failed_check_fails_the_scenario_and_is_told_at_once() -> None:
    told: list[str] = []
    record = Record("u", told.append)
    record.check("first", True)
    assert record.outcome().passed
    record.check("second", False, "it was red")
    record.check("third", True)
    outcome = record.outcome()
    assert not outcome.passed
    assert [check.passed for check in outcome.checks] == [True, False, True]
    assert "FAIL second: it was red" in told[1]


def test_figures_and_times_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(monkeypatch, 100.0, 101.0, 103.25)
    record = Record("u", None)
    record.figure("apps", 3)
    with record.timed("seconds"):
        pass
    assert record.outcome().figures == {"apps": 3, "seconds": 2.25}


def test_steps_are_told_with_the_time_since_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(monkeypatch, 100.0, 112.5)
    told: list[str] = []
    Record("u", told.append).step("something happens")
    assert told[0].strip() == "12.50 s  something happens"
