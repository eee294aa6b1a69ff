"""Unpacking images: what was packed comes out, and nothing else ever gets onto the disk."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from hanse.kit.problems import Problem
from hanse.model.package import Limits, extract_image
from hanse.model.package.images import pack_image
from tests.unit.model.package.conftest import IMAGE


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def tar(*entries: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for info in entries:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return packed.getvalue()


def package(tmp_path: Path, image: bytes, name: str = "i.tar.gz") -> Path:
    path = tmp_path / "x.csar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("TOSCA-Metadata/TOSCA.meta", "")
        archive.writestr(name, image)
    return path


def refused(tmp_path: Path, image: bytes, limits: Limits | None = None) -> Problem:
    with pytest.raises(Problem) as caught:
        extract_image(package(tmp_path, image), "i.tar.gz", tmp_path / "out", limits)
    assert caught.value.status == 400
    assert [path.name for path in tmp_path.iterdir()] == ["x.csar"], "nothing may be left behind"
    return caught.value


def test_what_was_packed_comes_out(csar: Path, tmp_path: Path) -> None:
    out = tmp_path / "store/out"
    extract_image(csar, IMAGE, out)
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == [
        "app.py",
        "lib/words.txt",
        "process.json",
        "run.sh",
    ]
    assert (out / "lib/words.txt").read_text() == "hello\n" * 100
    assert os.access(out / "run.sh", os.X_OK)
    assert not (out / "app.py").stat().st_mode & 0o111
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_an_empty_directory_is_filled_and_a_full_one_is_left_alone(csar: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    extract_image(csar, IMAGE, tmp_path / "out")
    with pytest.raises(Problem) as caught:
        extract_image(csar, IMAGE, tmp_path / "out")
    assert caught.value.status == 409


def test_an_image_that_is_not_in_the_package_is_named(csar: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"other\.tar\.gz is not in the archive"):
        extract_image(csar, "other.tar.gz", tmp_path / "out")


@pytest.mark.parametrize("name", ["/abs", "../up", "a/../../up", "a\\b", "a//b"])
def test_a_path_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    assert "is not unpacked" in refused(tmp_path, tar(entry("fine"), entry(name))).title


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    assert "link" in refused(tmp_path, tar(entry("a"), entry("bad", kind, "a"))).detail


@pytest.mark.parametrize("names", [("a", "A"), ("a", "a/b"), ("d/a", "d")])
def test_entries_that_would_be_one_file_are_refused(names: tuple[str, str], tmp_path: Path) -> None:
    assert "is not unpacked" in refused(tmp_path, tar(*map(entry, names))).title


def test_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    big = tar(entry("big", size=4000), entry("more", size=4000))
    assert "bytes" in refused(tmp_path, big, Limits(total=6000)).detail
    assert "files" in refused(tmp_path, tar(*(entry(str(n)) for n in range(5))), Limits(members=4)).detail


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = tar(entry("bomb", size=64 * 1024 * 1024))
    assert "bytes" in refused(tmp_path, bomb, Limits(ratio=10)).detail


def test_a_huge_header_is_refused(tmp_path: Path) -> None:
    info = entry("a")
    info.pax_headers = {"comment": "x" * 100_000}
    assert "header" in refused(tmp_path, tar(info)).detail


@pytest.mark.parametrize("image", [b"", b"no archive", gzip.compress(b"no tar" * 200, mtime=0)])
def test_what_is_no_archive_is_refused(image: bytes, tmp_path: Path) -> None:
    assert "i.tar.gz" in refused(tmp_path, image).title


def test_a_truncated_image_leaves_nothing(tmp_path: Path) -> None:
    image = tar(entry("a", size=100_000), entry("b", size=100_000))
    refused(tmp_path, image[: len(image) // 2])


def test_a_plain_tar_and_leading_dots_are_unpacked(tmp_path: Path) -> None:
    image = gzip.decompress(tar(entry(".", tarfile.DIRTYPE), entry("./a/b", size=3)))
    extract_image(package(tmp_path, image, "i.tar"), "i.tar", tmp_path / "out")
    assert (tmp_path / "out/a/b").read_bytes() == bytes(3)


def test_privileged_bits_are_dropped(tmp_path: Path) -> None:
    info = entry("root")
    info.mode = 0o6755
    extract_image(package(tmp_path, tar(info)), "i.tar.gz", tmp_path / "out")
    assert (tmp_path / "out/root").stat().st_mode & 0o7777 == 0o755


def test_packing_twice_gives_the_same_bytes(sources: Path, tmp_path: Path) -> None:
    pack_image(sources / "Artifacts/Images/hello", tmp_path / "one")
    (sources / "Artifacts/Images/hello/app.py").touch()
    pack_image(sources / "Artifacts/Images/hello", tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
