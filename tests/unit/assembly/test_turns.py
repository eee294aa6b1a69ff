"""Whoever starts or stops a deployment is alone with it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hanse.assembly import deployment
from hanse.assembly.deployment import Deployment
from hanse.assembly.turns import turn
from hanse.kit.problems import Problem
from tests.bounds import SOON

HOLD = """
import sys, time
from pathlib import Path
from hanse.assembly.turns import turn
with turn(Path(sys.argv[1]), 1):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_next_one_waits_for_its_turn(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with turn(tmp_path, SOON):
            order.append("second")

    with turn(tmp_path, 1):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.2)
        order.append("first")
    waiting.join(SOON)
    assert order == ["first", "second"]


def test_whoever_waits_too_long_is_told_for_what(tmp_path: Path) -> None:
    with turn(tmp_path, 1), pytest.raises(Problem, match="Another command") as caught, turn(tmp_path, 0.1):
        pass
    assert caught.value.status == 409
    assert str(tmp_path) in caught.value.detail


def test_the_turn_of_one_that_was_killed_is_over(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
    with turn(tmp_path, SOON):
        pass


def test_a_deployment_is_neither_started_nor_stopped_while_another_is_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "TURN_PATIENCE", 0.1)
    made = Deployment.from_template(tmp_path)
    with turn(tmp_path, 1):
        for act in (made.start, made.stop):
            with pytest.raises(Problem, match="Another command"):
                act()
    assert made.stop() == 0
