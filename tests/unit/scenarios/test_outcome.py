"""A scenario passes only if it checked something and every check held."""

from __future__ import annotations

from hanse.scenarios.outcome import Record


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


def test_figures_and_times_are_kept() -> None:
    record = Record("u", None)
    record.figure("apps", 3)
    with record.timed("seconds"):
        pass
    figures = record.outcome().figures
    assert figures["apps"] == 3
    assert 0 <= figures["seconds"] < 1


def test_steps_are_told_with_the_time_since_the_beginning() -> None:
    told: list[str] = []
    Record("u", told.append).step("something happens")
    assert told[0].strip() == "0.00 s  something happens"
