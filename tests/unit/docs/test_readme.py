"""The README keeps its word: its tour is run as it stands there, on networks of its own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanse.assembly.deployment import Deployment, renumbered
from hanse.assembly.workloads import workload_processes
from hanse.scenarios.stage import claim
from tests.unit.docs.tour import README, Command, commands, run

PATIENCE = 400.0
"""Seconds for the whole tour; alone on a machine it takes 25."""


@pytest.fixture
def networks() -> Iterator[dict[str, str]]:
    handle, networks = claim()
    yield networks
    os.close(handle)


@pytest.fixture
def home(tmp_path: Path, networks: dict[str, str]) -> Iterator[Path]:
    """A directory as a fresh checkout, and the deployment that ``hanse up`` would make, on other networks."""
    shutil.copytree(README.parent / "examples", tmp_path / "examples")
    for definition in tmp_path.glob("examples/*/Definitions/*.yaml"):
        definition.write_text(renumbered(definition.read_text(), networks))
    deployment = Deployment.from_template(tmp_path / ".hanse", networks=networks)
    yield tmp_path
    deployment.stop()
    assert not [pid for settings in deployment.operators.values() for pid in workload_processes(settings)]


@pytest.mark.slow
@pytest.mark.timeout(450)
def test_a_reader_who_types_the_tour_sees_what_it_shows(home: Path, networks: dict[str, str]) -> None:
    tour = list(commands(renumbered(README.read_text(), networks)))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "HANSE_HOME"}

    seen = run(tour, home, environment | {"PATH": path, "COLUMNS": "160"}, PATIENCE)

    for command, (status, output) in zip(tour, seen, strict=False):
        assert (status, command.missing(output)) == (0, []), f"$ {command.line}\n{output}"
    assert len(seen) == len(tour), "the shell ended before the tour did"
    assert "<svg" in (home / "request.svg").read_text()


def test_the_tour_shows_the_commands_that_a_beginner_needs() -> None:
    told = "\n".join(command.line for command in commands(README.read_text()))
    for words in ("up", "status", "package build", "package onboard", "app start", "app stop", "ue request"):
        assert f"hanse {words}" in told
    for words in ("trace last", "federation close", "federation open", "down", "doctor"):
        assert f"hanse {words}" in told


def test_a_tour_that_shows_what_is_not_printed_would_be_noticed() -> None:
    told = Command("hanse status", ["harbour … yes", "south AVAILABLE"])

    assert told.missing("harbour  coast   yes\nsouth   AVAILABLE") == []
    assert told.missing("harbour coast no\nsouth AVAILABLE") == ["harbour … yes"]
    assert told.missing("harbour coast yes\nsouth CLOSED") == ["south AVAILABLE"]
