"""A client whose credentials got into other hands can be shut out at once, while everything runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hanse.assembly.authentication import ElementAuthenticator
from hanse.assembly.catalogue import elements
from hanse.assembly.clients import Clients
from hanse.assembly.deployment import Deployment
from hanse.assembly.identities import Identities
from hanse.assembly.revoked import RevokedKeys
from hanse.assembly.rotation import rotate
from hanse.assembly.settings import Settings
from hanse.kit.problems import Problem
from hanse.kit.tokens import TokenIssuer
from tests.unit.elements.mep.parts import signing_key

SECRET = "s" * 40


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    Deployment.from_template(tmp_path)
    clients = '\n[clients.shop]\nrole = "customer"\ntenant = "acme"\nsecret_file = "secrets/shop"\n'
    with (tmp_path / "north.toml").open("a") as file:
        file.write(clients)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/shop").write_text(f"{SECRET}\n")
    return Deployment(tmp_path / "deployment.toml").settings("north")


@pytest.fixture
def clients(settings: Settings) -> Clients:
    oss = elements(settings)["oss"]
    return Clients(settings, oss, TokenIssuer(signing_key(), issuer=oss.url))


def token(clients: Clients, secret: str, name: str = "shop") -> str | None:
    """A token, if one is given."""
    form = urlencode({"grant_type": "client_credentials", "client_id": name, "client_secret": secret})
    answer = clients.token(form.encode(), None)
    return json.loads(answer.body)["access_token"] if answer.status == 200 else None


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Problem) as caught:
        call()
    assert caught.value.status == 401
    return caught.value.detail


def test_a_client_calls_in_its_role_for_its_tenant(clients: Clients) -> None:
    caller = clients.caller(str(token(clients, SECRET)))
    assert (caller.role, caller.name, caller.subject, caller.trusted) == ("customer", "shop", "acme", False)
    assert token(clients, "x" * 40) is None
    assert token(clients, SECRET, "nobody") is None


def test_after_a_rotation_neither_the_former_secret_nor_its_tokens_are_taken(
    settings: Settings, clients: Clients
) -> None:
    former = str(token(clients, SECRET))
    clients.caller(former)
    file = rotate(settings, "shop")
    assert "revoked" in refused(lambda: clients.caller(former))
    assert token(clients, SECRET) is None
    assert clients.caller(str(token(clients, file.read_text().strip()))).name == "shop"
    assert file.stat().st_mode & 0o077 == 0


def test_without_a_usable_secret_a_client_is_shut_out_and_comes_back_with_one(
    settings: Settings, clients: Clients
) -> None:
    former, file = str(token(clients, SECRET)), settings.file("secrets/shop")
    for damage in (file.unlink, lambda: file.write_text("short"), lambda: file.write_bytes(b"")):
        damage()
        refused(lambda: clients.caller(former))
        assert token(clients, SECRET) is None
    file.write_text(SECRET)
    assert clients.caller(former).name == "shop", "the same secret again: the same client"


def test_a_token_says_nothing_of_the_secret(clients: Clients) -> None:
    import base64
    import hashlib

    payload = str(token(clients, SECRET)).split(".")[1]
    said = base64.urlsafe_b64decode(payload + "==").decode()
    assert SECRET not in said
    assert hashlib.sha256(SECRET.encode()).hexdigest() not in said


@pytest.mark.parametrize(("content", "hint"), [(None, "cannot be read"), ("", "is empty"), ("short", "at least 32")])
def test_a_client_without_a_secret_is_a_mistake_at_the_start(
    settings: Settings, content: str | None, hint: str
) -> None:
    file = settings.file("secrets/shop")
    file.unlink()
    if content is not None:
        file.write_text(content)
    oss = elements(settings)["oss"]
    with pytest.raises(Problem) as caught:
        Clients(settings, oss, TokenIssuer(signing_key(), issuer=oss.url))
    assert caught.value.status == 400
    assert hint in caught.value.detail


@pytest.mark.parametrize("name", ["administrator", "customer.acme"])
def test_a_lost_key_opens_nothing_more_and_no_later_certificate_of_it_does(settings: Settings, name: str) -> None:
    identities = Identities(settings)
    inside = ElementAuthenticator("north", None, RevokedKeys(identities.revoked_path).cover)
    lost, others = der(identities, name), der(identities, "customer.else")
    assert [inside({"client_certificate": shown}, {}).name for shown in (lost, others)] == [name, "customer.else"]
    rotate(settings, name)
    assert "revoked" in refused(lambda: inside({"client_certificate": lost}, {}))
    fresh = der(identities, name)
    assert fresh != lost
    assert [inside({"client_certificate": shown}, {}).name for shown in (fresh, others)] == [name, "customer.else"]
    rotate(settings, name)
    for former in (lost, fresh):
        refused(lambda former=former: inside({"client_certificate": former}, {}))  # type: ignore[misc]


def test_an_unknown_client_is_a_mistake_that_names_whom_there_is(settings: Settings) -> None:
    with pytest.raises(Problem, match="No client mepm") as caught:
        rotate(settings, "mepm")
    assert "shop, administrator, customer.TENANT" in caught.value.detail
    assert not Identities(settings).revoked_path.exists()


def der(identities: Identities, name: str) -> bytes:
    """The certificate of a name as it is shown now."""
    return identities.issue(name).certificate.public_bytes(Encoding.DER)
