"""What an operator shows says who it is and no more; a secret is made once, whoever asks first."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hanse.assembly.catalogue import elements
from hanse.assembly.deployment import Deployment
from hanse.assembly.identities import Identities, secret
from hanse.assembly.settings import Settings
from hanse.kit.certificates import issued_by, load_certificate, peer_uri
from hanse.kit.problems import Problem


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Deployment.from_template(tmp_path).settings("north")


def der(path: Path) -> bytes:
    return load_certificate(path).public_bytes(Encoding.DER)


def test_an_element_shows_who_it_is_inside(settings: Settings) -> None:
    identities = Identities(settings)
    shown = identities.of_element(elements(settings)["mep.harbour"])
    assert peer_uri(der(shown.certificate_path)) == "hanse://north/mep.harbour"
    assert issued_by(der(shown.certificate_path), load_certificate(identities.authority_path))


def test_to_partners_an_operator_shows_its_name_and_no_element(settings: Settings) -> None:
    shown = der(Identities(settings).of_operator().certificate_path)
    assert peer_uri(shown) == "hanse://north"
    assert b"harbour" not in shown


def test_a_second_look_finds_the_same_authority(settings: Settings) -> None:
    assert Identities(settings).authority_path.read_bytes() == Identities(settings).authority_path.read_bytes()


def test_a_secret_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "seed"
    first = secret(path)
    assert len(first) == 32
    assert secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_whoever_asks_at_the_same_time_gets_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for turn in range(20):
            found = list(pool.map(secret, [tmp_path / f"seed-{turn}"] * 8))
            assert len(set(found)) == 1


def test_a_damaged_secret_is_not_silently_replaced(tmp_path: Path) -> None:
    path = tmp_path / "seed"
    path.write_bytes(b"half")
    with pytest.raises(Problem, match="is damaged") as caught:
        secret(path)
    assert "remove it" in caught.value.detail
    assert path.read_bytes() == b"half"
