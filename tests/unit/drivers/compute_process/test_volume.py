"""A volume's quota holds for all its files together, and nobody within it notices."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest

from hanse.drivers.compute_process import record
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.drivers.compute_process.plan import Spec
from hanse.drivers.compute_process.volume import Quota, taken
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mm7 import Volume, Workload, WorkloadState, WorkloadStatus

from .conftest import nothing_left, of_instance, said, script

SIZE = 200_000
WRITE = """
import os, time
place = {place!r}
many = {many}
open("began", "w").close()
for n in range(many):
    with open(os.path.join(place, str(n)), "w") as file:
        file.write("x" * 100)
print("written")
time.sleep({seconds})
print("lived on")
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    found = tmp_path / "volume"
    found.mkdir()
    return found


async def running(
    compute: ProcessCompute, tmp_path: Path, place: Path, many: int | str, seconds: float = 60
) -> Workload:
    """A workload that writes so many small files, a number or an expression in Python, with a volume."""
    text = WRITE.format(place=str(place), many=many, seconds=seconds)
    plain = await script(compute, tmp_path, text, "plain")
    workload = msgspec.structs.replace(plain, instance_id="app-1", volume=Volume(path=str(place), size=SIZE))
    await compute.create(workload)
    await compute.start("app-1")
    return workload


async def end(compute: ProcessCompute) -> WorkloadStatus:
    event = await anext(aiter(compute.events()))
    return await compute.status(event.instance_id)


async def test_an_app_that_writes_many_small_files_is_ended_with_the_reason(
    compute: ProcessCompute, tmp_path: Path, place: Path, directory: Path
) -> None:
    await running(compute, tmp_path, place, many=500)
    status = await end(compute)
    assert status.exit is not ABSENT
    assert (status.state, status.exit.signal) == (WorkloadState.EXITED, 9)
    assert status.exit.reason == f"the files of its volume take more than the {SIZE} bytes that it has"
    assert b"lived on" not in await compute.output("app-1")
    await nothing_left(directory)


async def test_an_app_within_its_quota_is_untouched(compute: ProcessCompute, tmp_path: Path, place: Path) -> None:
    await running(compute, tmp_path, place, many=40, seconds=1)
    status = await end(compute)
    assert status.exit is not ABSENT
    assert (status.exit.exit_code, status.exit.reason) == (0, ABSENT)
    assert b"lived on" in await compute.output("app-1")


async def test_a_full_volume_begins_nothing_until_there_is_room(
    compute: ProcessCompute, tmp_path: Path, place: Path, directory: Path
) -> None:
    await running(compute, tmp_path, place, many="0 if os.path.exists('began') else 500")
    await end(compute)
    with pytest.raises(Problem) as refused:
        await compute.start("app-1")
    assert (refused.value.status, refused.value.title) == (507, "No room in the volume of workload app-1")
    assert str(SIZE) in refused.value.detail
    assert of_instance(directory) == []
    for file in place.iterdir():
        file.unlink()
    assert (await compute.start("app-1")).state is WorkloadState.RUNNING


async def test_an_instance_of_a_release_without_quotas_gets_its_quota_with_its_next_start(
    compute: ProcessCompute, tmp_path: Path, place: Path, directory: Path
) -> None:
    plain = await script(compute, tmp_path, "print('here')")
    await compute.create(msgspec.structs.replace(plain, volume=Volume(path=str(place), size=SIZE)))
    spec = msgspec.json.decode((directory / "instances" / "app-1" / record.SPEC).read_bytes(), type=Spec)
    assert spec.run.volume == Volume(path=str(place), size=SIZE)
    await compute.start("app-1")
    await said(compute, b"here")


async def test_a_volume_without_a_whole_path_is_refused_by_name(compute: ProcessCompute, tmp_path: Path) -> None:
    plain = await script(compute, tmp_path, "pass", "plain")
    with pytest.raises(Problem, match=r"volume\.path"):
        await compute.create(msgspec.structs.replace(plain, instance_id="a", volume=Volume(path="volume", size=1)))


def test_empty_files_and_directories_are_not_free_of_charge(place: Path) -> None:
    for n in range(50):
        (place / f"d{n}").mkdir()
        (place / f"f{n}").touch()
    assert taken(str(place), 1 << 30) >= 100 * 512


def test_a_file_of_two_names_counts_once_and_links_are_not_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(1 << 20))
    (place / "one").write_bytes(bytes(100_000))
    os.link(place / "one", place / "other")
    (place / "away").symlink_to(tmp_path / "large")
    (place / "up").symlink_to(tmp_path)
    assert 100_000 <= taken(str(place), 1 << 30) < 150_000


def test_counting_ends_where_it_is_enough(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(200):
        (place / str(n)).write_bytes(b"x")
    asked = 0

    def counted(path: str, stat: object = os.lstat) -> os.stat_result:
        nonlocal asked
        asked += 1
        return stat(path)  # type: ignore[operator, no-any-return]

    monkeypatch.setattr(os, "lstat", counted)
    assert taken(str(place), 10_000) > 10_000
    assert asked < 200


def test_who_has_no_volume_has_no_quota() -> None:
    assert Quota(None).excess() == ""


def test_a_volume_that_is_gone_takes_nothing(tmp_path: Path) -> None:
    assert taken(str(tmp_path / errno.errorcode[2]), 0) == 0
