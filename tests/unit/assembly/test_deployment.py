"""A deployment keeps what its owner wrote, refuses what cannot run, and stops what it started."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanse.assembly.catalogue import chosen, elements
from hanse.assembly.deployment import Deployment, renumbered
from hanse.kit.problems import Problem


def test_a_template_is_laid_out_and_what_is_there_is_kept(tmp_path: Path) -> None:
    Deployment.from_template(tmp_path)
    north = tmp_path / "north.toml"
    changed = north.read_text().replace("4 GiB", "3 GiB")
    north.write_text(changed)
    (tmp_path / "south.toml").unlink()
    again = Deployment.from_template(tmp_path)
    assert north.read_text() == changed
    assert again.settings("north").hosts["harbour"].memory_bytes() == 3 * 2**30
    assert list(again.operators) == ["north", "south"]


def test_several_deployments_have_networks_of_their_own(tmp_path: Path) -> None:
    made = Deployment.from_template(tmp_path, networks={"127.10.": "127.200.", "127.20.": "127.201."})
    addresses = [e.address for settings in made.operators.values() for e in elements(settings).values()]
    assert addresses
    assert all(address.startswith(("127.200.", "127.201.")) for address in addresses)
    assert made.settings("north").partners["south"].url == "https://127.201.0.2:9443"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at 127.10.1.1", "at 127.99.1.1"),
        ("1127.10.1.1", "1127.10.1.1"),
        ("1.127.10.1", "1.127.10.1"),
        ("127.101.1.1", "127.101.1.1"),
    ],
)
def test_only_whole_prefixes_of_addresses_are_replaced(text: str, told: str) -> None:
    assert renumbered(text, {"127.10.": "127.99."}) == told


@pytest.mark.parametrize(
    "content",
    [b"operators = 3", b"operators = []", b"", b'operators = ["north.toml"]\nmore = 1', b"operators =", b"\xff"],
)
def test_a_deployment_file_that_says_nothing_sensible_is_refused(tmp_path: Path, content: bytes) -> None:
    Deployment.from_template(tmp_path)
    (tmp_path / "deployment.toml").write_bytes(content)
    with pytest.raises(Problem) as caught:
        Deployment(tmp_path / "deployment.toml")
    assert caught.value.status == 400
    assert "deployment.toml" in caught.value.title


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="Cannot read"):
        Deployment(tmp_path / "nothing.toml")
    (tmp_path / "deployment.toml").write_text('operators = ["nowhere.toml"]')
    with pytest.raises(Problem, match=r"nowhere\.toml"):
        Deployment(tmp_path / "deployment.toml")


def test_an_operator_is_there_once(tmp_path: Path) -> None:
    Deployment.from_template(tmp_path)
    (tmp_path / "deployment.toml").write_text('operators = ["north.toml", "north.toml"]')
    with pytest.raises(Problem, match=r"operator\.name") as caught:
        Deployment(tmp_path / "deployment.toml")
    assert caught.value.detail == "north is there already"


def test_an_unknown_operator_or_element_is_told_what_there_is(tmp_path: Path) -> None:
    made = Deployment.from_template(tmp_path)
    with pytest.raises(Problem, match="there are north, south"):
        made.settings("east")
    with pytest.raises(Problem, match="No element mep") as caught:
        chosen(made.settings("north"), ["mep"])
    assert "mep.harbour" in caught.value.detail


def test_elements_are_chosen_by_name_in_the_order_in_which_they_start(tmp_path: Path) -> None:
    north = Deployment.from_template(tmp_path).settings("north")
    assert [e.name for e in chosen(north, ["meo", "vim.harbour"])] == ["vim.harbour", "meo"]
    assert len(chosen(north, ["all"])) == 14
    assert len({(e.address, e.port) for e in elements(north).values()}) == 14
