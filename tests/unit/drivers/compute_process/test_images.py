"""An image is what was taken in, whole, unchanged, and nothing of the host besides."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hanse.drivers.compute_process.images import Images, digest
from hanse.kit.problems import Problem


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / "lib").mkdir(parents=True)
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o755)
    (source / "lib" / "a.py").write_text("a = 1\n")
    (source / "link.py").symlink_to("lib/a.py")
    return source


@pytest.fixture
def images(tmp_path: Path) -> Images:
    return Images(tmp_path / "images")


def test_an_image_keeps_files_links_and_execute_bits_and_is_read_only(images: Images, source: Path) -> None:
    taken = Path(images.take("one", source).path)
    assert (taken / "link.py").read_text() == "a = 1\n"
    assert os.access(taken / "run.sh", os.X_OK)
    modes = [path.lstat().st_mode for path in taken.rglob("*") if not path.is_symlink()]
    assert not any(mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) for mode in modes)


def test_a_single_file_is_an_image_too(images: Images, source: Path) -> None:
    taken = images.take("one", source / "run.sh")
    assert [path.name for path in Path(taken.path).iterdir()] == ["run.sh"]


def test_the_digest_tells_every_change_and_nothing_else(images: Images, source: Path) -> None:
    first = images.take("one", source).sha256
    assert first == images.take("two", source).sha256 == digest(source)
    seen = {first}
    (source / "lib" / "a.py").write_text("a = 2\n")
    seen.add(digest(source))
    (source / "run.sh").chmod(0o644)
    seen.add(digest(source))
    (source / "link.py").unlink()
    seen.add(digest(source))
    (source / "lib" / "a.py").rename(source / "lib" / "b.py")
    seen.add(digest(source))
    assert len(seen) == 5


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "lib/../../secret"])
def test_a_link_does_not_lead_out_into_the_host(images: Images, source: Path, target: str) -> None:
    (source.parent / "secret").write_text("token")
    (source / "escape").symlink_to(target)
    with pytest.raises(Problem, match=r"escape.*inside the image") as caught:
        images.take("one", source)
    assert caught.value.status == 400


def test_a_pipe_does_not_stall_the_host(images: Images, source: Path) -> None:
    os.mkfifo(source / "pipe")
    with pytest.raises(Problem, match=r"pipe.*files, directories and links"):
        images.take("one", source)


def test_a_missing_source_is_named(images: Images, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"there is nothing at .*nowhere") as caught:
        images.take("one", tmp_path / "nowhere")
    assert caught.value.status == 400


def test_an_image_that_was_refused_is_not_half_there(images: Images, source: Path, tmp_path: Path) -> None:
    (source / "escape").symlink_to("/etc")
    with pytest.raises(Problem):
        images.take("one", source)
    with pytest.raises(Problem, match="no image one"):
        images.find("one")
    assert not list(tmp_path.glob("images/*"))


def test_a_discarded_image_is_gone_and_its_id_free(images: Images, source: Path, tmp_path: Path) -> None:
    images.take("one", source)
    images.drop("one")
    images.drop("one")
    assert not list(tmp_path.glob("images/*"))
    (source / "lib" / "a.py").write_text("a = 3\n")
    assert Path(images.take("one", source).path, "lib", "a.py").read_text() == "a = 3\n"


def test_half_a_copy_of_a_crash_is_tidied_up(images: Images, source: Path, tmp_path: Path) -> None:
    images.take("one", source)
    (tmp_path / "images" / ".draft-x" / "files").mkdir(parents=True)
    images.tidy()
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["one"]
