"""On a machine where something is missing, one line says what: nobody gets a traceback, or half of an environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 65534
TOOLS = ("bash", "dirname", "id", "openssl", "git")
WITHOUT = """#!/bin/sh
# Python as Debian ships it without one of its modules: what asks for it gets the error of a module that is not there.
[ "$1" = -c ] || exec {python} "$@"
exec {python} -c "import sys; sys.modules['{module}'] = None; exec(sys.argv[1])" "$2"
"""


@pytest.fixture
def checkout() -> Iterator[Path]:
    """What set-up begins with, where every user may read it, whatever whoever tests keeps to himself."""
    before = os.umask(0o022)
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    for name in ("Makefile", "pyproject.toml", ".ci"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
    for path in place.rglob("*"):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    yield place
    os.umask(before)
    shutil.rmtree(place)


def said(command: list[str], checkout: Path, user: int | None = None, **environment: str) -> tuple[int, list[str]]:
    """What a command ended with, and the lines that it wrote; make's own report of its end is none of ours."""
    ended = subprocess.run(
        command,
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        user=user,
        group=user,
    )
    return ended.returncode, [line for line in ended.stdout.splitlines() if not line.startswith("make: ***")]


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_in_one_line_with_the_package_to_install(checkout: Path, module: str) -> None:
    python = checkout / "python"
    python.write_text(WITHOUT.format(python=os.path.realpath(sys.executable), module=module))
    python.chmod(0o755)
    assert said([str(python), "-c", "import json; print('sound')"], checkout) == (0, ["sound"])
    status, lines = said(["make", "setup", f"PYTHON={python}"], checkout, PATH=os.environ["PATH"])
    assert status != 0
    assert lines == ["The venv module of Python is missing: install python3.11-venv"]
    assert not (checkout / ".venv").exists()


def test_a_machine_without_python_is_told_in_one_line(checkout: Path) -> None:
    status, lines = said(["make", "setup", "PYTHON=python3.11"], checkout, PATH=str(bin_of(checkout, "make", "sh")))
    assert status != 0
    assert lines == ["Python 3.11 is missing: install python3.11, or set PYTHON=/path/to/it"]


def test_the_gate_names_all_that_is_missing_to_who_may_not_install_it(checkout: Path) -> None:
    user = NOBODY if os.geteuid() == 0 else None
    status, lines = said(["bash", ".ci/run"], checkout, user, PATH=str(bin_of(checkout, *TOOLS)))
    assert status == 1
    (line,) = lines
    missing = line.removeprefix("missing: ").partition(";")[0].split()
    assert {"make", "python3.11", "python3.11-venv"} <= set(missing)
    assert not {"openssl", "git"} & set(missing), "those are there"


def bin_of(checkout: Path, *names: str) -> Path:
    """A directory that has these programs and no others."""
    directory = checkout / "bin"
    directory.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found is not None
        (directory / name).symlink_to(found)
    return directory
