"""A mistake in a configuration is named with its key and with what would be right, before anything starts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from hanse.assembly.deployment import TEMPLATES
from hanse.assembly.settings import Settings, load, parse
from hanse.kit.problems import Problem

FILE = TEMPLATES / "two-operators" / "north.toml"
HERE = Path("/etc/hanse/north.toml")


def raw() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text())


def put(tree: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The tree with a value at a dotted path."""
    *tables, key = path.split(".")
    inner = tree
    for table in tables:
        inner = inner.setdefault(table, {})
    inner[key] = value
    return tree


def test_the_template_is_read_as_it_is_written() -> None:
    settings = load(FILE)
    harbour = settings.hosts["harbour"]
    assert (settings.operator.name, settings.operator.port) == ("north", 8443)
    assert harbour.app_addresses()[0] == "127.10.1.100"
    assert len(harbour.app_addresses()) == 32
    assert harbour.memory_bytes() == 4 * 2**30
    assert settings.partners["south"].share.services == ("navigation",)
    assert settings.federation_url == "https://127.10.0.2:9443"


def test_paths_are_relative_to_the_file() -> None:
    settings = parse(raw(), HERE)
    assert settings.directory == Path("/etc/hanse/north")
    assert settings.file("a/b.pem") == Path("/etc/hanse/a/b.pem")


@pytest.mark.parametrize(
    ("path", "value", "key", "hint"),
    [
        ("operator.nam", "x", "operator", "nam"),
        ("surprise", 1, "", "surprise"),
        ("hosts.harbour.memorry", "1 GiB", "hosts", "memorry"),
        ("operator.port", "many", "operator.port", "int"),
        ("operator.port", 0, "operator.port", "1 to 65533"),
        ("operator.port", 65534, "operator.port", "1 to 65533"),
        ("hosts.harbour.port", 65532, "hosts.harbour.port", "1 to 65531"),
        ("limits.page_size", 0, "limits.page_size", "1 to 100000"),
        ("callbacks.allow", ["http://a"], "callbacks.allow", "a network like"),
        ("rules.destinations", ["a.example.com"], "rules.destinations", "a network like"),
        ("rules.changes", "all", "rules.changes", "one of granted, free"),
        ("retention.operations", 0, "retention.operations", "0.1 or more days"),
        ("retention.log", 0, "retention.log", "1 to 4096 MiB"),
        ("certificates.days", 0, "certificates.days", "more than 0, up to 825"),
        ("limits.requests_per_second", -1.0, "limits.requests_per_second", "0 for no limit"),
        ("limits.burst", -1, "limits.burst", "one second"),
        ("limits.rate", 5, "limits", "rate"),
        ("hosts.harbour.liveness.shortest", 0, "hosts.harbour.liveness.shortest", "1 or more"),
        ("hosts.harbour.liveness.longest", 0, "hosts.harbour.liveness.longest", "shortest or more"),
        ("hosts.harbour.liveness.interval", 4000, "hosts.harbour.liveness.interval", "0, or 1 to 3600"),
        ("hosts.harbour.liveness.misses", 0, "hosts.harbour.liveness.misses", "1 or more"),
        ("hosts.harbour.names.port", 70000, "hosts.harbour.names.port", "1 to 65535"),
        ("federation.port", -1, "federation.port", "1 to 65535"),
        ("operator.name", "North Sea", "name North Sea", "lower-case letters"),
        ("operator.address", "localhost", "operator.address", "an IP address"),
        ("federation.address", "127.10.0.300", "federation.address", "an IP address"),
        ("hosts.harbour.data_plane", "", "hosts.harbour.data_plane", "an IP address"),
        ("hosts.harbour.data_plane_driver", "nftables", "hosts.harbour.data_plane", "outside of 127.0.0.0/8"),
        ("hosts.harbour.data_plane_driver", "ebpf", "hosts.harbour.data_plane_driver", "nftables"),
        ("hosts.harbour.names.address", "x", "hosts.harbour.names.address", "an IP address"),
        ("hosts.harbour.apps", "127.10.1.131-127.10.1.100", "hosts.harbour.apps", "the lower one first"),
        ("hosts.harbour.apps", "127.10.0.0-127.20.0.0", "hosts.harbour.apps", "at most 4096"),
        ("hosts.harbour.apps", "all of them", "hosts.harbour.apps", "4 octets"),
        ("hosts.harbour.memory", "a lot", "hosts.harbour.memory", "KiB, MiB or GiB"),
        ("hosts.harbour.memory", "2 GB", "hosts.harbour.memory", "KiB, MiB or GiB"),
        ("hosts.harbour.ready_patience", 0.0, "hosts.harbour.ready_patience", "more than 0"),
        ("hosts.harbour.conflicts", "later", "hosts.harbour.conflicts", "one of refuse, earlier"),
        ("devices.alice.host", "port", "devices.alice.host", "one of harbour, airport"),
        ("devices.alice.address", "alice", "devices.alice.address", "an IP address"),
        ("partners.south.url", "http://127.20.0.2:9443", "partners.south.url", "https://HOST:PORT"),
        ("partners.So uth", {"url": "https://x", "trust": "x"}, "name So uth", "lower-case letters"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_what_would_be_right(path: str, value: object, key: str, hint: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(put(raw(), path, value), HERE)
    assert caught.value.status == 400
    assert caught.value.title.startswith(f"{HERE}: ")
    assert key in f"{caught.value.title} {caught.value.detail}"
    assert hint in f"{caught.value.title} {caught.value.detail}"


@pytest.mark.parametrize(
    "missing", ["operator.name", "federation.address", "hosts.harbour.zone", "partners.south.trust"]
)
def test_what_is_missing_is_named(missing: str) -> None:
    tree = raw()
    *tables, key = missing.split(".")
    inner = tree
    for table in tables:
        inner = inner[table]
    del inner[key]
    with pytest.raises(Problem) as caught:
        parse(tree, HERE)
    assert key in f"{caught.value.title} {caught.value.detail}"


@pytest.mark.parametrize(
    ("content", "title"), [(b"[operator", "is not TOML"), (b"\xff\xfe", "is not TOML"), (None, "Cannot read")]
)
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, content: bytes | None, title: str) -> None:
    file = tmp_path / "north.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Problem, match=title) as caught:
        load(file)
    assert str(file) in caught.value.title


def test_a_single_address_for_apps_is_a_range_of_one() -> None:
    settings: Settings = parse(put(raw(), "hosts.harbour.apps", "127.10.1.9"), HERE)
    assert settings.hosts["harbour"].app_addresses() == ("127.10.1.9",)


def test_a_file_that_is_named_and_missing_is_told_with_the_key_that_names_it(tmp_path: Path) -> None:
    settings = parse(raw(), tmp_path / "north.toml")
    with pytest.raises(Problem, match=r"Invalid key packages\.trust") as caught:
        settings.content("packages.trust", "missing.pem")
    assert "missing.pem cannot be read: No such file" in caught.value.detail
