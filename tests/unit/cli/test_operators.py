"""Commands that speak to operators which run: what they tell people, and the one object that they tell scripts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from hanse.scenarios.stage import Stage
from tests.bounds import SOON
from tests.unit.cli.running import Command


def partner(running: Command) -> str:
    return str(running("federation", "list", "--json").last["partners"][0]["state"])


def until(running: Command, state: str) -> None:
    deadline = time.monotonic() + SOON
    while partner(running) != state and time.monotonic() < deadline:
        time.sleep(0.2)
    assert partner(running) == state


def opened(running: Command) -> list[dict[str, Any]]:
    """The openings of agreements that are on record."""
    found: list[dict[str, Any]] = running("trace", "list", "--operation", "open_agreement", "--json").last["procedures"]
    return found


def test_status_shows_every_operator_with_hosts_and_partners(running: Command) -> None:
    told = running("status", "--json").last["operators"]
    assert sorted(told) == ["north", "south"]
    assert [host["reachable"] for host in told["north"]["system"]["hosts"]] == [True, True]
    shown = running("status")
    assert shown.code == 0
    for word in ("harbour", "valley", "partner", "hanse app list"):
        assert word in shown.out


def test_an_agreement_is_closed_and_opened_again(running: Command) -> None:
    until(running, "AVAILABLE")
    closed = running("federation", "close", "south")
    assert (closed.code, "is closed" in closed.out, "hanse federation open south" in closed.out) == (0, True, True)
    assert partner(running) == "CLOSED"
    assert "CLOSED" in running("federation", "list").out
    assert running("federation", "open", "south").code == 0
    until(running, "AVAILABLE")


def test_who_opens_what_the_partner_has_closed_is_told_so(running: Command) -> None:
    until(running, "AVAILABLE")
    assert running("federation", "close", "south").code == 0
    opened = running("federation", "open", "north", "-o", "south")
    assert (opened.code, "CLOSED: north has closed the agreement" in opened.out) == (0, True)
    assert running("federation", "open", "south").out.strip().splitlines()[0] == "the agreement with south is open"
    until(running, "AVAILABLE")


def test_an_unknown_partner_is_refused_by_its_operator(running: Command) -> None:
    result = running("federation", "close", "atlantis")
    assert result.code == 1
    assert "No such partner" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("words", "key"),
    [(["app", "list"], "instances"), (["app", "operations"], "operations"), (["package", "list"], "packages")],
)
def test_lists_are_one_object_for_scripts_and_a_table_for_people(running: Command, words: list[str], key: str) -> None:
    assert running(*words, "--json").last == {key: []}
    shown = running(*words)
    assert (shown.code, key in shown.out) == (0, True)


def test_what_is_not_there_is_told_in_a_line(running: Command) -> None:
    for words in (["app", "stop", "nothing"], ["app", "start", "nothing"]):
        result = running(*words)
        assert result.code == 1
        assert "No such" in result.err
        assert len(result.err.strip().splitlines()) <= 2


def test_a_package_is_built_and_on_boarded_and_a_broken_one_is_refused(
    running: Command, stage: Stage, tmp_path: Path
) -> None:
    archive = stage.package("speech", "earshot")
    info = running("package", "onboard", str(archive), "-o", "south", "--json")
    assert info.code == 0, info
    assert info.last["onboardingState"] == "ONBOARDED"
    assert "ENABLED" in running("package", "list", "-o", "south").out
    broken = tmp_path / "broken.csar"
    broken.write_bytes(archive.read_bytes()[:-100])
    refused = running("package", "onboard", str(broken), "-o", "south")
    assert refused.code == 1
    assert len(refused.err.strip().splitlines()) <= 2
    assert len(running("package", "list", "-o", "south", "--json").last["packages"]) == 1


def test_what_happened_can_be_listed_and_drawn(running: Command, tmp_path: Path) -> None:
    before = len(opened(running))
    running("federation", "open", "south")
    deadline = time.monotonic() + SOON
    while len(opened(running)) == before and time.monotonic() < deadline:  # journals are written behind the calls
        time.sleep(0.1)
    assert len(opened(running)) == before + 1
    assert opened(running)[-1]["messages"] > 0
    assert "open_agreement" in running("trace", "last", "--operation", "open_agreement").out
    drawn = tmp_path / "last.svg"
    assert running("trace", "last", "--out", str(drawn)).code == 0
    assert drawn.read_text().startswith("<svg")
    wrong = running("trace", "last", "--out", str(tmp_path / "last.png"))
    assert (wrong.code, ".mmd or .svg" in wrong.err) == (1, True)
    nowhere = running("trace", "last", "--out", str(tmp_path / "no" / "last.svg"))
    assert (nowhere.code, "Traceback" in nowhere.err) == (1, False)


def test_operators_that_run_are_not_started_twice(running: Command) -> None:
    result = running("up")
    assert result.code == 1
    assert "runs already" in result.err
    assert "hanse down" in result.err
