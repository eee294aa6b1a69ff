"""What holds for every test: in CI nothing is skipped but what is listed, with its reason."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ALLOWED = Path(__file__).parent / "allowed_skips.txt"
_skipped: list[tuple[str, str]] = []


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The files whose tests may take longest come first, so that several workers are done at about the same time."""
    longest: dict[Path, float] = {}
    for item in items:
        bound = item.get_closest_marker("timeout")
        seconds = float(bound.args[0]) if bound else 0.0
        longest[item.path] = max(seconds, longest.get(item.path, 0.0))
    items.sort(key=lambda item: (-longest[item.path], _kind(item)))  # what is equal keeps its order


def _kind(item: pytest.Item) -> int:
    kinds = ("faults", "scenarios")
    return next((number for number, kind in enumerate(kinds) if kind in item.path.parts), len(kinds))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was skipped, and why."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped.append((report.nodeid, reason.removeprefix("Skipped: ")))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a skip that is not on the list is a failure: what is skipped everywhere is tested nowhere."""
    strange = [(test, reason) for test, reason in _skipped if not any(a in reason for a in _allowed())]
    if os.environ.get("CI") != "true" or not strange:
        return
    for test, reason in strange:
        print(f"\nskipped in CI without leave: {test}: {reason}")
    session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _allowed() -> list[str]:
    lines = ALLOWED.read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


@pytest.fixture
def openssl() -> str:
    """Where the openssl command is: the judge of what we sign, and of no use to what runs."""
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("openssl is not installed; it judges our signatures in tests, nothing else needs it")
    return found
