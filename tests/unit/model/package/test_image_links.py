"""Images may share parts through links; what is packed is plain files."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from hanse.kit.problems import Problem
from hanse.model.package.images import pack_image


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "lib" / "common").mkdir(parents=True)
    (tmp_path / "lib" / "common" / "part.py").write_text("x = 1\n")
    image = tmp_path / "image"
    image.mkdir()
    (image / "app.py").write_text("import common.part\n")
    (image / "common").symlink_to("../lib/common")
    return image


def test_a_part_that_two_images_share_arrives_as_plain_files(image: Path, tmp_path: Path) -> None:
    pack_image(image, tmp_path / "image.tar.gz")
    with tarfile.open(tmp_path / "image.tar.gz") as packed:
        assert packed.getnames() == ["app.py", "common/part.py"]
        assert all(member.isreg() for member in packed.getmembers())


def test_a_link_in_a_circle_is_refused_and_not_followed_for_ever(image: Path, tmp_path: Path) -> None:
    (image / "inner").mkdir()
    (image / "inner" / "up").symlink_to("..")
    with pytest.raises(Problem, match="leads to itself"):
        pack_image(image, tmp_path / "image.tar.gz")


def test_a_link_to_a_file_is_refused_because_it_may_lead_to_a_secret(image: Path, tmp_path: Path) -> None:
    (image / "passwords").symlink_to("/etc/passwd")
    with pytest.raises(Problem, match="passwords is not a plain file"):
        pack_image(image, tmp_path / "image.tar.gz")
