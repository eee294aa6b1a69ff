"""A mistake on the command line is one line and a hint, never a traceback, and an exit code that scripts can use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hanse.assembly.deployment import Deployment
from tests.unit.cli.running import Command, Result


def one_line_and_a_hint(result: Result, *words: str) -> None:
    lines = result.err.strip().splitlines()
    assert "Traceback" not in result.err
    assert 1 <= len(lines) <= 2, result.err
    for word in words:
        assert word in result.err


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["down"],
        ["app", "list"],
        ["app", "operations"],
        ["app", "start", "x"],
        ["app", "stop", "x"],
        ["package", "list"],
        ["package", "build", "."],
        ["package", "onboard", "x.csar"],
        ["federation", "list"],
        ["federation", "close", "south"],
        ["federation", "open", "south"],
        ["trace", "list"],
        ["trace", "last"],
        ["ue", "list"],
        ["ue", "resolve", "alice", "x"],
        ["ue", "request", "alice", "GET", "http://x"],
    ],
    ids=" ".join,
)
def test_before_anything_was_started_it_says_how_to_start(hanse: Command, words: list[str]) -> None:
    result = hanse(*words)
    assert result.code == 1
    one_line_and_a_hint(result, "No deployment", "hanse up")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["scenario", "run", "u99"], ["No scenario u99", "u5"]),
        (["up", "nowhere.toml"], ["Cannot read", "nowhere.toml"]),
        (["down", "nowhere.toml"], ["No deployment at nowhere.toml"]),
        (["run", "meo", "-c", "nowhere.toml"], ["Cannot read nowhere.toml"]),
        (["ue", "list", "-o", "east"], ["No operator east", "north, south"]),
        (["ue", "resolve", "zoe", "x"], ["No device zoe", "alice"]),
        (["app", "start", "d", "--host", "moon"], ["No host moon", "harbour"]),
        (["package", "onboard", "nowhere.csar"], ["Cannot read nowhere.csar"]),
        (["trace", "last"], ["No such procedure", "hanse trace list"]),
        (["run", "mep", "-c", "home/north.toml"], ["No element mep", "mep.harbour"]),
        (["ue", "request", "alice", "GET", "http://x", "--body", "nowhere"], ["nowhere", "No such file"]),
        (["package", "build", "nowhere"], ["nowhere"]),
        (["up", "[/red]x"], ["Cannot read [/red]x"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_wrong_name_is_told_with_the_right_ones(
    hanse: Command, tmp_path: Path, words: list[str], told: list[str]
) -> None:
    Deployment.from_template(tmp_path / "home")
    result = hanse(*words)
    assert result.code == 1, result
    one_line_and_a_hint(result, *told)


@pytest.mark.parametrize(
    "words",
    [["sail"], ["app", "sail"], ["status", "--wrong"], ["app", "start"], ["trace", "last", "-n", "0"]],
    ids=" ".join,
)
def test_what_is_no_command_is_told_and_ends_with_2(hanse: Command, words: list[str]) -> None:
    result = hanse(*words)
    assert result.code == 2
    assert "Traceback" not in result.err
    assert "hanse --help" in result.err


def test_an_operator_that_does_not_run_is_said_not_to_answer(hanse: Command, tmp_path: Path) -> None:
    Deployment.from_template(tmp_path / "home", networks={"127.10.": "127.98.", "127.20.": "127.99."})
    result = hanse("app", "list")
    assert result.code == 1
    one_line_and_a_hint(result, "cannot be reached")
    status = hanse("status")
    assert status.code == 0
    assert "north does not run" in status.out
    assert "hanse up" in status.out


def test_help_lists_the_commands(hanse: Command) -> None:
    result = hanse("--help")
    assert result.code == 0
    for command in ("up", "down", "status", "doctor", "package", "app", "ue", "federation", "trace", "scenario"):
        assert command in result.out


def test_as_a_program_too_a_mistake_is_no_traceback(tmp_path: Path) -> None:
    environment = os.environ | {"HANSE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "hanse", "app", "list"], env=environment, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert b"No deployment" in done.stderr
    assert b"Traceback" not in done.stderr
