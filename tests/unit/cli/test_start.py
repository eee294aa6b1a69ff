"""A command is there at once: it does not load what it does not use."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("library", ["sqlalchemy", "dbos"])
def test_nobody_waits_for_a_library_that_commands_do_not_use(library: str) -> None:
    look = f"import sys, hanse.cli.main; print({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "False\n"
