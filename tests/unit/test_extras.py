"""Whoever installs a driver by its extra has all that it imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRIVERS = [
    path
    for path in sorted((ROOT / "src/hanse/drivers").iterdir())
    if (path / "__init__.py").exists() and path.name != "compute_fake"  # for tests of others only
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", requirement)[0].lower() for requirement in requirements}


def _imported(driver: Path) -> set[str]:
    """Top-level modules from outside that the driver's sources import."""
    found: set[str] = set()
    for source in driver.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"hanse"}


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda path: str(path.name))
def test_a_driver_imports_nothing_that_neither_the_project_nor_its_extra_brings(driver: Path) -> None:
    extra = PROJECT["optional-dependencies"][driver.name.replace("_", "-")]
    brought = _names(PROJECT["dependencies"]) | _names(extra)
    distributions = packages_distributions()
    for module in _imported(driver):
        assert {name.lower() for name in distributions[module]} & brought, f"{module} comes with nothing"


def test_every_extra_but_that_for_developers_is_one_of_a_driver() -> None:
    drivers = {path.name.replace("_", "-") for path in DRIVERS}
    assert set(PROJECT["optional-dependencies"]) - {"dev"} == drivers
