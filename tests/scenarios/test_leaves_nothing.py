"""A scenario that fails leaves no file behind, whoever plays it: hosts keep images in read-only directories."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
from hanse.kit.problems import Problem
from hanse.scenarios import catalogue

async def fails(stage, record):
    image = stage.directory / "north" / "vim.harbour" / "images" / "one"
    image.mkdir(parents=True)
    (image / "app.py").touch()
    image.chmod(0o555)
    try:
        (image / "more.py").touch()
    except PermissionError:
        raise Problem(409, "No room", "as planned") from None

catalogue.SCENARIOS["fails"] = catalogue.Scenario("it fails", fails)
print(*(f"{check.name}: {check.detail}" for check in catalogue.play("fails").checks if not check.passed))
"""


@pytest.mark.timeout(120)
def test_a_failed_scenario_leaves_no_file_of_a_user_without_rights(tmp_path: Path) -> None:
    without = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    ended = subprocess.run(
        [*without, sys.executable, "-c", PROGRAM],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "the scenario runs to its end: 409 No room: as planned\n"
    assert list(tmp_path.iterdir()) == []
