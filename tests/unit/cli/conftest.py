"""The command in a home of its own, and two real operators for those that speak to one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hanse.scenarios.stage import Stage
from tests.lifetime import lifetime
from tests.unit.cli.running import Command


@pytest.fixture
def hanse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Where nothing was started yet."""
    monkeypatch.setenv("HANSE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return Command(monkeypatch)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two operators that run, on networks of their own."""
    with lifetime(Stage(tmp_path_factory.mktemp("stage")), Stage.start) as made:
        yield made


@pytest.fixture
def running(hanse: Command, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Where two operators run."""
    monkeypatch.setenv("HANSE_HOME", str(stage.directory))
    return hanse
