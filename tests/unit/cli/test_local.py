"""Commands that need no operator."""

from __future__ import annotations

from pathlib import Path

from hanse.assembly.deployment import Deployment
from tests.unit.cli.running import Command


def test_doctor_says_what_this_machine_can_do_and_why_not(hanse: Command) -> None:
    result = hanse("doctor", "--json")
    assert result.code == 0
    findings = {finding["what"]: finding for finding in result.last["findings"]}
    assert findings["Python"]["works"]
    assert findings["process driver"]["works"]
    assert all(finding["detail"] for finding in findings.values())
    assert "what this machine can do" in hanse("doctor").out


def test_scenarios_are_listed_with_what_they_show(hanse: Command) -> None:
    result = hanse("scenario", "list")
    assert result.code == 0
    assert "u5" in result.out
    assert "another operator" in result.out


def test_devices_are_listed_with_their_addresses(hanse: Command, tmp_path: Path) -> None:
    Deployment.from_template(tmp_path / "home")
    result = hanse("ue", "list", "--operator", "south")
    assert result.code == 0
    assert "carol" in result.out
    assert "127.20.100.5" in result.out
    assert "alice" not in result.out


def test_nothing_is_stopped_where_nothing_runs(hanse: Command, tmp_path: Path) -> None:
    Deployment.from_template(tmp_path / "home")
    result = hanse("down")
    assert (result.code, result.out.startswith("0 processes")) == (0, True)


def test_a_trace_list_is_empty_before_anything_happened(hanse: Command, tmp_path: Path) -> None:
    Deployment.from_template(tmp_path / "home")
    assert hanse("trace", "list", "--json").last == {"procedures": []}
