"""The command as the operator types it, in this process: one of its own would take a second to begin, each time."""

from __future__ import annotations

import pytest

from hanse.scenarios.stage import Stage
from tests.unit.cli.running import Command


def hanse(stage: Stage, *words: str, code: int = 0) -> str:
    """What ``hanse`` says of the operators on a stage, and that it ends with this code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANSE_HOME", str(stage.directory))
        told = Command(patch)(*words)
    assert told.code == code, told
    return told.out + told.err
