"""What an app keeps in its volume stays until its instance ends, and no longer; how full it is can be seen."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from hanse.elements.mep.app_support.storage import Volumes, occupied
from hanse.kit.problems import Problem
from tests.bounds import SOON

MB = 1_000_000


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(tmp_path / "volumes", period=0.01)


async def test_a_volume_is_the_instances_own_and_keeps_what_is_in_it(volumes: Volumes, tmp_path: Path) -> None:
    path = Path(await volumes.provide("one", MB))
    (path / "map.bin").write_bytes(b"x" * 1000)
    assert path.stat().st_mode & 0o777 == 0o700
    assert await volumes.provide("one", MB) == str(path)
    restarted = Volumes(tmp_path / "volumes")
    await restarted.restore({"one": MB})
    assert [file.name for file in path.iterdir()] == ["map.bin"]
    standing = restarted.standing("one")
    assert standing is not None
    assert standing.size == MB
    assert Path(await volumes.provide("two", MB)) != path


async def test_an_app_that_asks_for_none_gets_none(volumes: Volumes, tmp_path: Path) -> None:
    assert await volumes.provide("one", 0) == ""
    assert volumes.standing("one") is None
    assert list(tmp_path.iterdir()) == []


async def test_a_volume_goes_with_its_instance(volumes: Volumes, tmp_path: Path) -> None:
    path = Path(await volumes.provide("one", MB))
    (path / "inner").mkdir()
    (path / "inner" / "secret").write_text("x")
    await volumes.remove("one")
    await volumes.remove("one")
    assert list((tmp_path / "volumes").iterdir()) == []
    assert volumes.standing("one") is None
    assert list(Path(await volumes.provide("one", MB)).iterdir()) == [], "the next of that id finds nothing of it"


async def test_what_a_crash_left_of_volumes_goes_at_the_next_start(tmp_path: Path) -> None:
    directory = tmp_path / "volumes"
    for name in ("known", "forgotten", ".gone-half"):
        (directory / name / "inner").mkdir(parents=True)
    await Volumes(directory).restore({"known": MB})
    assert [path.name for path in directory.iterdir()] == ["known"]
    await Volumes(tmp_path / "none").restore({})


async def test_one_volume_that_cannot_be_restored_does_not_keep_the_others_from_it(tmp_path: Path) -> None:
    volumes = Volumes(tmp_path / "volumes")
    await volumes.restore({"not/a/name": MB, "one": MB})
    assert volumes.standing("one") is not None


@pytest.mark.parametrize("name", ["../other", "a/b", ".gone-x", "", ".."])
async def test_no_name_leads_out_of_the_directory(volumes: Volumes, name: str) -> None:
    inside = Path(await volumes.provide("one", MB))
    with pytest.raises(Problem) as caught:
        await volumes.provide(name, MB)
    assert caught.value.status == 400
    await volumes.remove(name)
    assert inside.is_dir()


async def test_a_platform_without_a_directory_says_so_only_to_who_asks() -> None:
    none = Volumes(None)
    assert await none.provide("one", 0) == ""
    await none.remove("one")
    await none.restore({"one": 0})
    with pytest.raises(Problem, match="No storage") as caught:
        await none.provide("one", MB)
    assert caught.value.status == 409


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="No room for the volume") as caught:
        await Volumes(tmp_path / "file").provide("one", MB)
    assert (caught.value.status, str(tmp_path) in caught.value.detail) == (507, True)


async def test_a_volume_that_outgrows_its_size_is_told_of_once_and_again_when_it_shrinks(
    volumes: Volumes, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(await volumes.provide("one", MB))
    (path / "big").write_bytes(b"x" * 2 * MB)
    with caplog.at_level(logging.WARNING, "hanse.mep"):
        await volumes.look()
        await volumes.look()
        standing = volumes.standing("one")
        assert standing is not None
        assert (standing.exceeded, standing.size, standing.used >= 2 * MB) == (True, MB, True)
        (path / "big").unlink()
        await volumes.look()
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "the volume of one exceeds its size",
        "the volume of one is within its size again",
    ]


async def test_the_watch_sees_growth_by_itself_and_survives_a_volume_that_vanishes(volumes: Volumes) -> None:
    path = Path(await volumes.provide("one", MB))
    await volumes.provide("two", MB)
    watching = asyncio.create_task(volumes.watch())
    await volumes.remove("two")
    (path / "big").write_bytes(b"x" * 2 * MB)
    async with asyncio.timeout(SOON):
        while not ((standing := volumes.standing("one")) and standing.exceeded):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert volumes.standing("two") is None
    watching.cancel()


def test_a_file_counts_once_and_what_a_link_leads_to_not_at_all(tmp_path: Path) -> None:
    volume, outside = tmp_path / "volume", tmp_path / "outside"
    volume.mkdir()
    outside.write_bytes(b"x" * 4 * MB)
    (volume / "one").write_bytes(b"x" * MB)
    os.link(volume / "one", volume / "again")
    (volume / "link").symlink_to(outside)
    assert MB <= occupied(volume) < 2 * MB
