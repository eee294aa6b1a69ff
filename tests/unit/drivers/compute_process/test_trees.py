"""What is removed is gone, and nothing besides it."""

from __future__ import annotations

from pathlib import Path

from hanse.drivers.compute_process.trees import below, remove


def test_a_tree_goes_whatever_an_app_did_to_its_permissions(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "b" / "file").write_text("x")
    for path in (top / "a" / "b", top / "a", top):
        path.chmod(0)
    remove(top)
    assert list(tmp_path.iterdir()) == []


def test_what_a_link_points_to_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o750)
    (kept / "file").write_text("x")
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "link").symlink_to(kept)
    remove(tmp_path / "top")
    assert (kept / "file").read_text() == "x"
    assert kept.stat().st_mode & 0o777 == 0o750


def test_links_are_named_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").touch()
    assert sorted(path.name for path in below(tmp_path)) == ["a", "b", "loop"]


def test_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove(tmp_path / "nothing")
