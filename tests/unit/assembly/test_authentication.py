"""Who calls is what its certificate and its token prove, and never what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hanse.assembly.authentication import ElementAuthenticator, PartnerAuthenticator, element_caller
from hanse.kit.certificates import Authority, load_certificate, thumbprint
from hanse.kit.contract.call import Caller
from hanse.kit.problems import Problem
from hanse.kit.tokens import TokenIssuer, TokenVerifier
from tests.unit.elements.mep.parts import signing_key

URL = "https://127.10.0.2:9443"


class Certified:
    """Authorities of operators, and certificates (DER) with a URI that they have issued."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(self, operator: str, uri: str) -> bytes:
        name = "of." + uri.removeprefix("hanse://").replace("/", ".")
        identity = self.authority(operator).issue(
            name, uri=uri, lifetime=timedelta(days=1), directory=self._root / operator
        )
        return load_certificate(identity.certificate_path).public_bytes(Encoding.DER)

    def authority(self, operator: str) -> Authority:
        return Authority.ensure(self._root / operator, operator)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return Certified(tmp_path_factory.mktemp("authorities"))


class Border:
    """A border of north with the partners south and east; ``epochs`` are those of open agreements."""

    def __init__(self, certified: Certified) -> None:
        self.epochs = {"south": 1, "east": 1}
        self.issuer = TokenIssuer(signing_key(), issuer=URL)
        verifier = TokenVerifier(self.issuer.public_keys, issuer=URL, audience=URL)
        trusted = {name: load_certificate(certified.authority(name).certificate_path) for name in ("south", "east")}
        self.authenticator = PartnerAuthenticator(trusted, verifier, self.epochs.get)

    def token(self, certificate: bytes | None, subject: str = "south", epoch: object = 1, audience: str = URL) -> str:
        bound = thumbprint(certificate) if certificate else None
        issued = self.issuer.issue(subject, audience=audience, lifetime=60.0, bound_to=bound, claims={"epoch": epoch})
        return issued.access_token

    def caller(self, certificate: bytes | None, token: str) -> Caller:
        headers = {b"authorization": f"Bearer {token}".encode()}
        return self.authenticator({"client_certificate": certificate}, headers)


@pytest.fixture
def border(certified: Certified) -> Border:
    return Border(certified)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Problem) as caught:
        call()
    assert caught.value.status == 401
    return caught.value.detail


def test_a_partner_gets_in_with_its_certificate_and_a_token_bound_to_it(border: Border, certified: Certified) -> None:
    south = certified("south", "hanse://south")
    caller = border.caller(south, border.token(south))
    assert (caller.role, caller.name, caller.operator, caller.subject) == ("partner", "south", "south", "south")
    assert not caller.trusted


def test_one_partner_cannot_certify_itself_as_another(border: Border, certified: Certified) -> None:
    forged = certified("east", "hanse://south")
    assert "not that of a partner" in refused(lambda: border.caller(forged, border.token(forged)))


@pytest.mark.parametrize(
    ("operator", "uri"),
    [("west", "hanse://west"), ("west", "hanse://south"), ("south", "hanse://south/meo"), ("south", "hanse://")],
)
def test_a_certificate_that_names_no_partner_as_a_whole_is_refused(
    border: Border, certified: Certified, operator: str, uri: str
) -> None:
    shown = certified(operator, uri)
    assert "not that of a partner" in refused(lambda: border.caller(shown, border.token(shown)))


def test_without_certificate_or_token_nobody_gets_in(border: Border, certified: Certified) -> None:
    south = certified("south", "hanse://south")
    assert "show the certificate" in refused(lambda: border.caller(None, border.token(south)))
    assert "Bearer" in refused(lambda: border.authenticator({"client_certificate": south}, {}))


def test_a_token_that_is_bound_to_nothing_or_to_another_certificate_is_refused(
    border: Border, certified: Certified
) -> None:
    south, other = certified("south", "hanse://south"), certified("east", "hanse://east")
    assert "not bound" in refused(lambda: border.caller(south, border.token(None)))
    assert "bound to another certificate" in refused(lambda: border.caller(south, border.token(other)))


def test_a_token_of_another_partner_epoch_or_audience_is_refused(border: Border, certified: Certified) -> None:
    south = certified("south", "hanse://south")
    for token in (
        border.token(south, subject="east"),
        border.token(south, epoch=2),
        border.token(south, epoch=None),
        border.token(south, audience="https://elsewhere"),
    ):
        refused(lambda token=token: border.caller(south, token))  # type: ignore[misc]


def test_a_token_is_refused_as_soon_as_its_agreement_has_ended(border: Border, certified: Certified) -> None:
    south = certified("south", "hanse://south")
    token = border.token(south)
    border.caller(south, token)
    del border.epochs["south"]
    assert "another agreement" in refused(lambda: border.caller(south, token))
    border.epochs["south"] = 2
    assert "another agreement" in refused(lambda: border.caller(south, token))


def test_inside_an_element_is_known_by_its_certificate(certified: Certified) -> None:
    inside = ElementAuthenticator("north", None)
    shown = certified("north", "hanse://north/mep.harbour")
    caller = inside({"client_certificate": shown}, {})
    assert (caller.role, caller.name, caller.trusted) == ("mep", "mep.harbour", True)


@pytest.mark.parametrize("uri", ["hanse://south/meo", "hanse://south", "hanse://northern/meo", "hanse://north"])
def test_a_certificate_of_another_operator_is_nobody_inside(certified: Certified, uri: str) -> None:
    inside = ElementAuthenticator("north", None)
    shown = certified("south", uri)
    assert "no element of this operator" in refused(lambda: inside({"client_certificate": shown}, {}))


def test_without_certificate_a_token_is_asked_for() -> None:
    inside = ElementAuthenticator("north", None)
    assert "bearer token" in refused(lambda: inside({}, {}))
    assert "bearer token" in refused(lambda: inside({}, {b"authorization": b"Bearer x"}))


def test_a_shown_token_decides_and_a_bad_one_is_not_made_good_by_a_certificate(certified: Certified) -> None:
    issuer = TokenIssuer(signing_key(), issuer=URL)
    verifier = TokenVerifier(issuer.public_keys, issuer=URL, audience=URL)

    def by_token(token: str) -> Caller:
        name = verifier.verify(token).subject
        return Caller(role="customer", name=name, operator="north", subject="acme", trusted=False)

    inside = ElementAuthenticator("north", by_token)
    element = certified("north", "hanse://north/meo")
    token = issuer.issue("shop", audience=URL, lifetime=60.0).access_token
    caller = inside({"client_certificate": element}, {b"authorization": f"bearer {token}".encode()})
    assert (caller.role, caller.subject, caller.name, caller.trusted) == ("customer", "acme", "shop", False)
    for header in (b"Bearer nonsense", b"Basic eDp5", b"Bearer", b"Bearer ey"):
        headers = {b"authorization": header}
        refused(lambda headers=headers: inside({"client_certificate": element}, headers))  # type: ignore[misc]


def test_a_revoked_key_is_refused_though_it_was_believed_before(certified: Certified) -> None:
    shown, revoked = certified("north", "hanse://north/administrator"), set[bytes]()
    inside = ElementAuthenticator("north", None, revoked.__contains__)
    assert inside({"client_certificate": shown}, {}).role == "administrator"
    revoked.add(shown)
    assert "revoked" in refused(lambda: inside({"client_certificate": shown}, {}))


def test_a_name_says_the_role_and_only_elements_may_speak_for_tenants() -> None:
    assert element_caller("north", "mep.harbour").trusted
    assert not element_caller("north", "administrator").trusted
    customer = element_caller("north", "customer.acme.more")
    assert (customer.role, customer.subject, customer.trusted) == ("customer", "acme.more", False)
