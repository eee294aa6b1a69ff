"""Use case 5 works, with an operator in one process and in many, and as a check that a script can read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import pairwise

import pytest

from hanse.assembly.workloads import workload_processes
from hanse.kit.telemetry.procedures import Procedure
from hanse.scenarios import nine_steps, u5, waiting
from hanse.scenarios.catalogue import play
from hanse.scenarios.outcome import Outcome, Record
from hanse.scenarios.stage import Stage

pytestmark = pytest.mark.timeout(120)

ORDER = ["find_services", "find_service", "find_service", "find_members", "offered_systems", "platforms", "consume"]
"""The messages of the nine steps in the order of 6.5.2: 7 is the answer to 6, 8 a decision, 9 is ``consume``."""


@pytest.fixture(scope="module")
def recorded() -> list[Procedure]:
    return []


@pytest.fixture(scope="module")
def played(recorded: list[Procedure]) -> Outcome:
    """The scenario in one process an operator; what its records showed is kept before they vanish."""
    check = nine_steps.check_steps

    def keeping(procedure: Procedure | None, record: Record, name: str) -> None:
        if procedure is not None:
            recorded.append(procedure)
        check(procedure, record, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nine_steps, "check_steps", keeping)
        return play("u5")


def failures(outcome: Outcome) -> list[str]:
    return [f"{check.name}: {check.detail}" for check in outcome.checks if not check.passed]


def test_an_app_consumes_a_service_of_another_operator(played: Outcome) -> None:
    assert failures(played) == []
    assert played.passed
    assert len(played.checks) > 20


def test_the_steps_come_in_the_order_of_the_standard(played: Outcome, recorded: list[Procedure]) -> None:
    assert played.passed
    assert len(recorded) >= 2, "alice's and bob's"
    for procedure in recorded:
        crossed = [(m.reference_point, m.operation) for m in procedure.messages]
        begins = {where: m.began for where, m in reversed(list(zip(crossed, procedure.messages, strict=True)))}
        steps = [(point, operation) for point, operation, _ in nine_steps.STEPS.values()]
        assert [operation for _, operation in steps] == ORDER
        assert set(steps) <= set(crossed)
        assert all(begins[earlier] < begins[later] for earlier, later in pairwise(steps)), crossed


def test_it_works_with_every_element_a_process_of_its_own() -> None:
    outcome = play("u5", separate=True)
    assert failures(outcome) == []
    assert outcome.passed


def test_a_script_gets_one_object_and_an_exit_code() -> None:
    command = [sys.executable, "-m", "hanse", "scenario", "run", "u5", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stderr
    outcome = json.loads(ended.stdout.splitlines()[-1])
    assert outcome["passed"] is True
    assert outcome["scenario"] == "u5"
    assert {check["passed"] for check in outcome["checks"]} == {True}


def test_the_scenario_fails_when_nobody_recognises_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    use = u5._use

    async def without_speech(stage: Stage, record: Record) -> Procedure | None:
        monkeypatch.setattr(waiting, "PATIENCE", 3.0)  # all that it waits for from now on will not come
        for pid in workload_processes(stage.operator("south")):
            with suppress(ProcessLookupError):  # an app dies with its supervisor
                os.kill(pid, signal.SIGKILL)
        return await use(stage, record)

    monkeypatch.setattr(u5, "_use", without_speech)
    outcome = play("u5")
    assert not outcome.passed
    assert "alice gets directions from what was said" in " ".join(failures(outcome))
