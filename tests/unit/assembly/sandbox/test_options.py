"""A sandbox is where it says, and never sends tokens over a network in the clear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hanse.assembly.sandbox import Options
from hanse.assembly.sandbox.seed import Seed, SeededApp, SeededDevice, smallest_seed
from hanse.kit.problems import Problem

HOME = Path("/nowhere")


def options(**given: Any) -> Options:
    return Options(HOME, given.pop("seed", smallest_seed()), **given)


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ({}, "https://127.0.0.1:8443"),
        ({"prefix": "/sandbox/mep", "port": 9000}, "https://127.0.0.1:9000/sandbox/mep"),
        ({"plain": True}, "http://127.0.0.1:8443"),
        ({"address": "127.9.0.1", "plain": True}, "http://127.9.0.1:8443"),
    ],
)
def test_the_url_that_clients_are_told_is_where_it_is(given: dict[str, Any], base: str) -> None:
    assert options(**given).base == base


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1"])
def test_plain_http_is_refused_where_others_could_listen(address: str) -> None:
    with pytest.raises(Problem, match="loopback only") as caught:
        options(address=address, plain=True)
    assert (caught.value.status, "--plain" in caught.value.detail) == (400, True)
    assert options(address=address).base.startswith("https://")


def test_an_app_for_which_anybody_speaks_is_refused_where_others_could_come() -> None:
    seed = Seed(apps=(SeededApp(id="one"), SeededApp(id="two", anonymous=True)))
    with pytest.raises(Problem, match="loopback only") as caught:
        options(address="192.0.2.1", seed=seed)
    assert (caught.value.status, "speak for two" in caught.value.detail) == (400, True)
    assert options(address="127.9.0.1", seed=seed).seed is seed


@pytest.mark.parametrize(
    "given",
    [
        {"address": "0.0.0.0"},
        {"address": "::"},
        {"address": "::1"},
        {"address": "2001:db8::1"},
        {"address": "localhost"},
        {"prefix": "sandbox"},
        {"prefix": "/a//b"},
        {"prefix": "/a b"},
        {"prefix": "/a?b"},
        {"prefix": "/"},
        {"origins": ("http://localhost:3000", "localhost:3000")},
    ],
)
def test_what_no_client_could_use_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        options(**given)
    assert caught.value.status == 400
    assert next(iter(given)).removesuffix("s") in caught.value.title


def test_a_port_that_cannot_be_is_refused_before_anything_starts() -> None:
    with pytest.raises(Problem, match="port"):
        options(port=0).settings()


def test_authorities_of_receivers_are_found_from_where_they_were_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = options(callback_authorities=(Path("hooks.pem"), Path("/etc/more.pem"))).settings()
    found = [settings.file(name) for name in settings.callbacks.authorities]
    assert found == [tmp_path / "hooks.pem", Path("/etc/more.pem")]


def test_the_devices_of_the_seed_are_the_hosts() -> None:
    seed = Seed(devices={"alice": SeededDevice(address="127.9.100.1", tags=("tag-alice",), latitude=54.0)})
    settings = options(seed=seed).settings()
    device = settings.devices["alice"]
    assert (device.address, device.host, device.tags, device.latitude) == ("127.9.100.1", "local", ("tag-alice",), 54.0)
    assert settings.directory == HOME / "state"
