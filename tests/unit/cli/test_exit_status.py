"""The status with which ``hanse`` ends is what scripts and gates go by."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer

from hanse.cli import main
from hanse.kit.problems import Problem


def ended(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command with these words; its exit status."""
    monkeypatch.setattr(sys, "argv", ["hanse", *words])
    with pytest.raises(SystemExit) as end:
        main.main()
    return int(end.value.code or 0)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """``hanse`` with commands that end in each way."""
    made = typer.Typer(pretty_exceptions_enable=False)

    @made.command()
    def good() -> str:
        return "a value that a command returns is no status"

    @made.command()
    def failed() -> None:
        raise typer.Exit(1)

    @made.command()
    def refused() -> None:
        raise Problem(409, "Port is taken", "stop the other one")

    monkeypatch.setattr(main, "hanse", made)
    return made


@pytest.mark.parametrize(("word", "status"), [("good", 0), ("failed", 1), ("refused", 1), ("nonsense", 2)])
def test_a_script_can_tell_success_from_failure(
    command: typer.Typer, monkeypatch: pytest.MonkeyPatch, word: str, status: int
) -> None:
    assert ended(monkeypatch, word) == status


def test_a_problem_is_told_with_what_to_do_and_without_a_traceback(
    command: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended(monkeypatch, "refused")

    told = capsys.readouterr().err
    assert "Port is taken" in told
    assert "stop the other one" in told
    assert "Traceback" not in told


def test_asking_for_what_does_not_run_says_how_to_start_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HANSE_HOME", str(tmp_path))

    assert ended(monkeypatch, "status") == 1
    assert "hanse up" in capsys.readouterr().err
