"""Stages for the scenarios, one a module: each has networks of its own and is cleared whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hanse.scenarios.stage import Stage
from tests.scenarios.scene import Scene


@contextmanager
def opened(directory: Path, *, separate: bool = False) -> Iterator[Scene]:
    """A scene whose operators have not started yet; afterwards nothing of it runs."""
    stage = Stage(directory, separate=separate)
    try:
        yield Scene(stage)
    finally:
        stage.clear()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Use case 5 set up, each operator one process."""
    with opened(tmp_path_factory.mktemp("stage")) as made:
        asyncio.run(_set_up(made))
        yield made


@pytest.fixture(scope="module")
def separate_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Use case 5 set up, every element a process of its own."""
    with opened(tmp_path_factory.mktemp("stage"), separate=True) as made:
        asyncio.run(_set_up(made))
        yield made


async def _set_up(scene: Scene) -> None:
    await scene.start()
    await scene.bring_up()
