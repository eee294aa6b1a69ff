"""Archives that would harm whoever unpacks them are refused before anything is read."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hanse.kit.problems import Problem
from hanse.model.package import Limits
from hanse.model.package.archive import open_archive


def archive(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for info, content in members:
            written.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


def refused(path: Path, limits: Limits | None = None) -> Problem:
    with pytest.raises(Problem) as caught, open_archive(path, limits):
        pass
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a\\b", "C:/x", "a\nb", "..", "é/../x"]
)
def test_a_path_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    assert "not a safe path" in refused(archive(tmp_path / "x.zip", (name, b""))).title


@pytest.mark.parametrize("pair", [("A.txt", "a.TXT"), ("é", "e\u0301"), ("a", "a/b"), ("d/", "D"), ("ß", "ss")])
def test_names_that_would_be_one_file_somewhere_are_refused(pair: tuple[str, str], tmp_path: Path) -> None:
    assert "collides" in refused(archive(tmp_path / "x.zip", *((name, b"") for name in pair))).title


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    assert "collides" in refused(archive(tmp_path / "x.zip", ("a", b"1"), ("a", b"2"))).title


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind: int, tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    assert "not a plain file" in refused(archive(tmp_path / "x.zip", (info, b"/etc/passwd"))).title


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(archive(tmp_path / "x.zip", ("secret", b"x")).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    assert "encrypted" in refused(tmp_path / "x.zip").title


def test_a_compression_bomb_is_refused(tmp_path: Path) -> None:
    problem = refused(archive(tmp_path / "x.zip", ("bomb", bytes(8 * 1024 * 1024))))
    assert "unpacks to too much" in problem.title


def test_an_archive_with_too_much_or_too_many_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", *((str(number), b"xx") for number in range(10)))
    assert "too large" in refused(path, Limits(total=19)).title
    assert "too many" in refused(path, Limits(members=9)).title


def test_other_compressions_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_LZMA) as written:
        written.writestr("a", b"x")
    assert "compression" in refused(tmp_path / "x.zip").title


def test_a_member_that_lies_about_its_size_is_found(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", ("a", b"x" * 1000))
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(Problem, match="a is damaged"), open_archive(path) as opened:
        opened.digest("a")


def test_a_member_that_lies_outside_of_the_archive_is_found(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", ("a", b"x" * 1000), ("b", b"y" * 1000))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 42
    content[at : at + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(Problem, match=r"b is damaged|not a ZIP"), open_archive(path) as opened:
        opened.digest("b")


@pytest.mark.parametrize("read", [lambda opened: opened.text("b"), lambda opened: opened.digest("b")])
def test_a_member_that_is_not_there_is_a_problem(read: Callable[..., object], tmp_path: Path) -> None:
    with open_archive(archive(tmp_path / "x.zip", ("a", b"x"))) as opened, pytest.raises(Problem, match="b is not in"):
        read(opened)


def test_a_text_larger_than_allowed_is_not_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", ("a", b"x" * 100))
    with open_archive(path, Limits(text=99)) as opened, pytest.raises(Problem, match="too large"):
        opened.text("a")


def test_a_sound_archive_is_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", ("d/", b""), ("d/a.txt", b"hello"))
    with open_archive(path) as opened:
        assert opened.names == ("d/a.txt",)
        assert opened.text("d/a.txt") == b"hello"
        assert opened.size("d/a.txt") == 5
