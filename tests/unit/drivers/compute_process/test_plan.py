"""A workload runs what its author meant, with the environment and the bounds that it was given."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hanse.drivers.compute_process.plan import INTERPRETER, plan
from hanse.kit.problems import Problem
from hanse.refpoints.mm7 import Image, Limits, Workload

HOME = Path("/the/home")


@pytest.fixture
def image(tmp_path: Path) -> Image:
    (tmp_path / "image" / "bin").mkdir(parents=True)
    for name in ("app.py", "bin/tool", "config.json"):
        (tmp_path / "image" / name).write_text("")
    (tmp_path / "outside.py").write_text("")
    return Image(image_id="image", path=str(tmp_path / "image"))


def workload(*command: str, **more: object) -> Workload:
    return Workload(instance_id="a", image_id="image", command=command, address="127.9.0.1", **more)  # type: ignore[arg-type]


def argv(image: Image, *command: str, **more: object) -> tuple[str, ...]:
    return plan(workload(*command, **more), image, HOME).run.argv


def test_files_of_the_image_are_found_wherever_it_lies(image: Image) -> None:
    assert argv(image, "bin/tool", "app.py", "--app.py", "bin", "app") == (
        f"{image.path}/bin/tool",
        f"{image.path}/app.py",
        "--app.py",
        "bin",
        "app",
    )


def test_python_is_the_one_that_runs_hanse_without_its_environment(image: Image) -> None:
    assert argv(image, "python3", "python3")[1] == "python3"
    found = argv(image, "python3")[0]
    assert found == INTERPRETER
    assert os.path.dirname(found) != os.path.join(sys.prefix, "bin") or sys.prefix == sys.base_prefix


def test_a_file_that_the_workload_brings_is_not_taken_from_the_image(image: Image) -> None:
    assert argv(image, "bin/tool", "config.json", files={"config.json": "{}"})[1] == "config.json"


@pytest.mark.parametrize("word", ["../outside.py", "/bin/sh", "bin/../../outside.py", ""])
def test_words_that_lead_out_of_the_image_stay_as_they_are(image: Image, word: str) -> None:
    assert argv(image, "bin/tool", word)[1] == word


def test_the_environment_is_what_was_given_and_four_more(image: Image) -> None:
    environment = plan(workload("bin/tool", environment={"A": "1", "LANG": "de"}), image, HOME).run.environment
    assert sorted(environment) == ["A", "HOME", "LANG", "PATH", "PYTHONUNBUFFERED"]
    assert (environment["HOME"], environment["LANG"]) == (str(HOME), "de")


@pytest.mark.parametrize(
    ("wrong", "title"),
    [
        (workload(), "command"),
        (workload(""), "command"),
        (workload("a", "b\0"), "command"),
        (workload("a", environment={"": "x"}), "environment"),
        (workload("a", environment={"A=B": "x"}), "environment"),
        (workload("a", environment={"A": "\0"}), "environment"),
        (workload("a", files={"../x": ""}), "files"),
        (workload("a", limits=Limits(memory=-1)), "limits"),
    ],
)
def test_what_no_process_can_be_given_is_refused_by_name(image: Image, wrong: Workload, title: str) -> None:
    with pytest.raises(Problem, match=title) as caught:
        plan(wrong, image, HOME)
    assert caught.value.status == 400
