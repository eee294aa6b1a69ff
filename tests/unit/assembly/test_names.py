"""The name server that a configuration names is the one that a host gets, with its forwarder, its limit, its key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from hanse.assembly.builders.names import name_server
from hanse.assembly.catalogue import elements
from hanse.assembly.deployment import TEMPLATES
from hanse.assembly.settings import Settings, parse
from hanse.assembly.tables import NamesSettings
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.drivers.names_rfc2136 import UpdatedNames
from hanse.kit.problems import Problem


def settings(directory: Path, **changed: object) -> Settings:
    raw: dict[str, Any] = tomllib.loads((TEMPLATES / "two-operators" / "north.toml").read_text())
    raw["hosts"]["harbour"]["names"].update(changed)
    return parse(raw, directory / "north.toml")


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"forward": "192.0.2.53"}, "names.forward"),
        ({"forward": "resolver:53"}, "names.forward"),
        ({"forward": "192.0.2.53:0"}, "names.forward"),
        ({"forward": ["192.0.2.53:53", "resolver:53"]}, "names.forward"),
        ({"forward": 53}, "names.forward"),
        ({"rate": -1}, "names.rate"),
        ({"zones": [], "update": {"key": "k", "secret_file": "s"}}, "names.zones"),
        ({"update": {"key": "k"}}, "hosts"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, changed: dict[str, object], key: str) -> None:
    with pytest.raises(Problem) as refused:
        settings(tmp_path, **changed)
    assert key in refused.value.title


def test_whoever_is_asked_for_other_names_is_read_and_may_be_nobody() -> None:
    one, other = ("192.0.2.53", 53), ("192.0.2.54", 5353)
    assert NamesSettings(address="127.0.0.1", forward="192.0.2.53:53").forwarders() == (one,)
    assert NamesSettings(address="127.0.0.1", forward=("192.0.2.53:53", "192.0.2.54:5353")).forwarders() == (one, other)
    assert NamesSettings(address="127.0.0.1").forwarders() == ()


def test_a_host_gets_the_embedded_server_unless_a_key_says_that_it_is_outside(tmp_path: Path) -> None:
    inside = settings(tmp_path, forward="192.0.2.53:53", rate=100)
    assert isinstance(name_server(inside, elements(inside)["names.harbour"]), EmbeddedNames)
    (tmp_path / "secret").write_text("c2VjcmV0\n")
    outside = settings(tmp_path, zones=["example.com"], update={"key": "hanse", "secret_file": "secret"})
    assert isinstance(name_server(outside, elements(outside)["names.harbour"]), UpdatedNames)


@pytest.mark.parametrize(("secret", "told"), [(None, "update.secret_file"), ("no base64!", "TSIG key cannot be read")])
def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path, secret: str | None, told: str) -> None:
    if secret is not None:
        (tmp_path / "secret").write_text(secret)
    found = settings(tmp_path, zones=["example.com"], update={"key": "hanse", "secret_file": "secret"})
    with pytest.raises(Problem, match=told):
        name_server(found, elements(found)["names.harbour"])
