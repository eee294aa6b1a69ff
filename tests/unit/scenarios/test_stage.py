"""Stages run beside each other, each on networks of its own, and give them back."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from hanse.kit.problems import Problem
from hanse.scenarios import catalogue, stage
from hanse.scenarios.catalogue import Scenario, play
from hanse.scenarios.outcome import Record
from hanse.scenarios.stage import Stage, claim


def test_two_claims_never_share_a_network() -> None:
    first, networks = claim()
    second, others = claim()
    try:
        assert not set(networks.values()) & set(others.values())
        assert sorted(networks) == ["10.10.", "10.20.", "127.10.", "127.20."]
    finally:
        os.close(first)
        os.close(second)


def test_when_all_networks_are_taken_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CLAIMS", 0)
    with pytest.raises(Problem, match="No addresses left") as caught:
        claim()
    assert caught.value.status == 503


def test_a_stage_has_operators_and_devices_on_its_own_networks(tmp_path: Path) -> None:
    made = Stage(tmp_path)
    try:
        north = made.networks["127.10."]
        assert made.operator("north").operator.address.startswith(north)
        assert made.operator("north").devices["alice"].address.startswith(north)
        assert made.left() == []
    finally:
        made.clear()


def test_without_the_examples_a_stage_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "EXAMPLES", tmp_path / "nowhere")
    with pytest.raises(Problem, match="use a checkout"):
        Stage(tmp_path)


def test_a_scenario_that_runs_into_a_problem_has_failed_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    directories: list[Path] = []

    async def fails(made: Stage, record: Record) -> None:
        directories.append(made.directory)
        record.check("begun", True)
        raise Problem(503, "south cannot be reached", "it is dark there")

    monkeypatch.setitem(catalogue.SCENARIOS, "dark", Scenario("fails", fails))
    outcome = play("dark")
    assert not outcome.passed
    assert [(check.name, check.passed) for check in outcome.checks] == [
        ("begun", True),
        ("the scenario runs to its end", False),
        ("nothing is left running", True),
    ]
    assert "it is dark there" in outcome.checks[1].detail
    assert not directories[0].exists()


def test_an_unknown_scenario_is_told_which_there_are() -> None:
    with pytest.raises(Problem, match="there are u5"):
        play("u99")


def test_networks_in_which_something_still_listens_are_not_given_to_another_stage() -> None:
    handle, networks = claim()
    os.close(handle)
    with socket.socket() as left_behind:
        left_behind.bind((f"{networks['127.20.']}1.1", 0))
        left_behind.listen()
        other, others = claim()
        os.close(other)
    assert not set(networks.values()) & set(others.values())
