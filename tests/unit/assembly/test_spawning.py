"""What runs is known by records that can be believed: nobody stops a process that is not ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hanse.assembly.deployment import Deployment
from hanse.drivers.compute_process.processes import identify


def test_nothing_runs_before_it_was_started_and_a_stale_record_is_not_believed(tmp_path: Path) -> None:
    made = Deployment.from_template(tmp_path)
    run = made.settings("north").directory / "run"
    run.mkdir(parents=True)
    (run / "all.json").write_text('{"pid": 1}')
    (run / "meo.json").write_text("not json")
    (run / "oss.json").write_text('{"pid": 4194999}')
    assert list(made.running()) == []
    assert made.stop() == 0


@pytest.mark.parametrize("age", [0, 1])
def test_only_the_very_process_of_a_record_is_stopped_never_a_later_one_with_its_number(
    tmp_path: Path, age: int
) -> None:
    made = Deployment.from_template(tmp_path)
    run = made.settings("north").directory / "run"
    run.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", "hanse"]) as process:
        try:
            pid, started, boot = identify(process.pid)
            (run / "all.json").write_text(json.dumps({"pid": pid, "started": started - age, "boot": boot}))
            assert [running.pid for running in made.running()] == ([] if age else [pid])
            assert made.stop() == (0 if age else 1)
            assert process.poll() == (None if age else -signal.SIGTERM)
        finally:
            process.kill()


def test_a_record_without_a_start_time_is_not_believed(tmp_path: Path) -> None:
    made = Deployment.from_template(tmp_path)
    run = made.settings("north").directory / "run"
    run.mkdir(parents=True)
    for number, content in enumerate([f'{{"pid": {os.getpid()}}}', "[]", "3"]):
        (run / f"{number}.json").write_text(content)
    assert list(made.running()) == []
