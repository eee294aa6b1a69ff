"""Notifications go to the app itself and to devices; nothing of the operator's own can be reached by them."""

from __future__ import annotations

import ssl
from pathlib import Path

import msgspec
import pytest

from hanse.assembly.callbacks import producers, receivers, trust
from hanse.assembly.catalogue import elements
from hanse.assembly.deployment import Deployment
from hanse.assembly.settings import Settings
from hanse.assembly.upkeep import CallbackSettings
from hanse.kit.certificates import Authority
from hanse.kit.problems import Problem

OWN = "127.10.1.100"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Deployment.from_template(tmp_path).settings("north")


def refused(settings: Settings, url: str) -> bool:
    try:
        receivers(settings).check(url, OWN)
    except Problem as problem:
        return problem.status == 403
    return False


def test_no_element_of_the_operator_can_be_named(settings: Settings) -> None:
    reached = [e.name for e in elements(settings).values() if not refused(settings, f"http://{e.address}:{e.port}/")]
    assert reached == []
    open_to_all = msgspec.structs.replace(settings, callbacks=CallbackSettings(allow=("0.0.0.0/0", "127.10.0.1")))
    reached = [e.name for e in elements(settings).values() if not refused(open_to_all, f"http://{e.address}:{e.port}/")]
    assert reached == [], "whatever the operator allows"


def test_an_app_and_a_device_can_be_told_and_another_operator_or_app_cannot(settings: Settings) -> None:
    assert not refused(settings, f"http://{OWN}:8080/told")
    assert not refused(settings, f"http://{settings.devices['alice'].address}:5000/")
    for url in ("http://127.10.1.101:8080/", "http://127.20.0.2:9443/", "http://127.0.0.1:22/", "http://localhost/"):
        assert refused(settings, url), url


def test_what_the_operator_allows_can_be_told(settings: Settings) -> None:
    allowing = msgspec.structs.replace(settings, callbacks=CallbackSettings(allow=("192.0.2.0/24", "*.example.com")))
    assert not refused(allowing, "https://192.0.2.77/hook")
    assert not refused(allowing, "https://hooks.example.com/")


def test_authorities_of_receivers_are_added_to_the_public_ones(settings: Settings) -> None:
    public = len(trust(settings)().get_ca_certs())
    authority = Authority.ensure(settings.base, "private").certificate_path
    adding = msgspec.structs.replace(settings, callbacks=CallbackSettings(authorities=(authority.name,)))
    assert len(trust(adding)().get_ca_certs()) == public + 1
    assert trust(adding)().verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("content", [None, b"", b"none", b"-----BEGIN CERTIFICATE-----\n\xff\n", b"\x30\x82\x01"])
def test_a_file_that_holds_no_authority_is_named_with_its_key(settings: Settings, content: bytes | None) -> None:
    if content is not None:
        settings.file("hooks.pem").write_bytes(content)
    wrong = msgspec.structs.replace(settings, callbacks=CallbackSettings(authorities=("hooks.pem",)))
    with pytest.raises(Problem, match=r"Invalid key callbacks\.authorities") as caught:
        trust(wrong)
    assert (caught.value.status, str(settings.file("hooks.pem")) in caught.value.detail) == (400, True)


def test_no_service_is_carried_to_an_element_or_a_device(settings: Settings) -> None:
    allowing = msgspec.structs.replace(settings, callbacks=CallbackSettings(allow=("0.0.0.0/0", "api.example.com")))
    for element in elements(settings).values():
        with pytest.raises(Problem, match="uris"):
            producers(allowing).check(f"http://{element.address}:{element.port}/", OWN, "uris")
    with pytest.raises(Problem, match="uris"):
        producers(settings).check(f"http://{settings.devices['alice'].address}:5000/", OWN, "uris")
    producers(settings).check(f"http://{OWN}:8080/", OWN, "uris")
    producers(allowing).check("https://api.example.com/v1", OWN, "uris")


def test_a_host_alone_takes_services_anywhere_but_at_the_operators_elements(settings: Settings) -> None:
    alone = msgspec.structs.replace(settings, hosts={"harbour": settings.hosts["harbour"]}, partners={})
    producers(alone).check("http://10.0.0.9:8093/api", OWN, "uris")
    producers(alone).check("https://api.example.com/v1", OWN, "uris")
    for element in elements(alone).values():
        with pytest.raises(Problem, match="uris"):
            producers(alone).check(f"http://{element.address}:{element.port}/", OWN, "uris")
    partnered = msgspec.structs.replace(alone, partners=settings.partners)
    for more in (partnered, msgspec.structs.replace(settings, partners={})):
        with pytest.raises(Problem, match="uris"):
            producers(more).check("http://10.0.0.9:8093/api", OWN, "uris")
