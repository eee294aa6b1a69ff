"""A static token speaks for its app, whatever its scheme, and a near miss for nobody."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hanse.assembly.sandbox.seed import Seed, SeededApp
from hanse.assembly.sandbox.tokens import SandboxAuthenticator, header
from hanse.elements.mep.access import Access
from hanse.elements.mep.records import Records
from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.kit.tokens import TokenIssuer

URL = "https://127.0.0.1:8443"
SEED = Seed(
    apps=(
        SeededApp(id="one", tokens=("Basic dXNlcjpwYXNz", "plain-token")),
        SeededApp(id="two", tokens=("Bearer two's own",)),
    )
)


@pytest.fixture
def who() -> SandboxAuthenticator:
    issuer = TokenIssuer(ec.generate_private_key(ec.SECP256R1()), issuer=URL)
    access = Access(URL, "sandbox", Records(Store()), issuer, b"seed" * 8, "PEM")
    return SandboxAuthenticator(access, SEED)


@pytest.mark.parametrize(
    ("shown", "app"),
    [
        ("Basic dXNlcjpwYXNz", "one"),
        ("basic  dXNlcjpwYXNz", "one"),
        ("Bearer plain-token", "one"),
        ("Bearer two's own", "two"),
    ],
)
def test_a_static_token_speaks_for_its_app(who: SandboxAuthenticator, shown: str, app: str) -> None:
    caller = who({}, {b"authorization": shown.encode()})
    assert (caller.role, caller.subject, caller.trusted) == ("app", app, False)


@pytest.mark.parametrize(
    "shown",
    ["", "Basic", "Basic DXNLCJPWYXNZ", "Basic dXNlcjpwYXNz=", "Bearer dXNlcjpwYXNz", "plain-token", "Bearer ey.a.b"],
)
def test_a_near_miss_speaks_for_nobody(who: SandboxAuthenticator, shown: str) -> None:
    with pytest.raises(Problem) as caught:
        who({}, {b"authorization": shown.encode()} if shown else {})
    assert caught.value.status == 401


class TestWhoSaysNothing:
    """As applications of the ETSI MEC Sandbox do, which knows them by the URL alone."""

    @pytest.fixture
    def open_to_all(self, who: SandboxAuthenticator) -> SandboxAuthenticator:
        apps = (*SEED.apps, SeededApp(id="three", anonymous=True), SeededApp(id="four", anonymous=True))
        return SandboxAuthenticator(who._access, Seed(apps=apps))

    @pytest.mark.parametrize(
        ("path", "app"),
        [
            ("/mec_service_mgmt/v1/services", "three"),
            ("/sandbox/mep/mec_service_mgmt/v1/applications/four/services", "four"),
            ("/mec_app_support/v1/registrations/four", "four"),
            ("/mec_service_mgmt/v1/applications/one/services", "three"),
            ("/mec_service_mgmt/v1/applications/fourth/services", "three"),
        ],
    )
    def test_speaks_for_an_anonymous_app_and_no_other(
        self, open_to_all: SandboxAuthenticator, path: str, app: str
    ) -> None:
        caller = open_to_all({"path": path}, {})
        assert (caller.role, caller.subject, caller.trusted) == ("app", app, False)

    @pytest.mark.parametrize("shown", ["", "Bearer wrong", "Basic dXNlcjpwYXNz="])
    def test_but_who_says_what_is_wrong_is_nobody(self, open_to_all: SandboxAuthenticator, shown: str) -> None:
        with pytest.raises(Problem) as caught:
            open_to_all({"path": "/"}, {b"authorization": shown.encode()})
        assert caught.value.status == 401

    @pytest.mark.parametrize(("origin", "status"), [("http://localhost:3000", 200), ("http://evil.example", 403)])
    def test_nor_does_a_web_page_that_was_not_allowed(
        self, who: SandboxAuthenticator, origin: str, status: int
    ) -> None:
        seed = Seed(apps=(SeededApp(id="three", anonymous=True),))
        page = {b"origin": origin.encode()}
        allowing = SandboxAuthenticator(who._access, seed, ("http://localhost:3000",))
        if status == 200:
            assert allowing({"path": "/"}, page).subject == "three"
        for strict in (SandboxAuthenticator(who._access, seed), *([allowing] if status == 403 else [])):
            with pytest.raises(Problem, match="Origin not allowed") as caught:
                strict({"path": "/"}, page)
            assert (caught.value.status, origin in caught.value.detail) == (403, True)
        assert SandboxAuthenticator(who._access, seed, ("*",))({"path": "/"}, page).subject == "three"


@pytest.mark.parametrize("shown", [None, b"Basic wrong", b"Bearer wrong", b"Bearer ey.a.b"])
def test_a_client_that_waits_for_its_challenge_gets_one_of_each_kind_that_is_taken(
    who: SandboxAuthenticator, shown: bytes | None
) -> None:
    without = SandboxAuthenticator(who._access, Seed(apps=(SeededApp(id="one", tokens=("Bearer x",)),)))
    for authenticator, basic in ((who, True), (without, False)):
        with pytest.raises(Problem) as caught:
            authenticator({}, {} if shown is None else {b"authorization": shown})
        told = caught.value.headers["WWW-Authenticate"]
        assert (told.startswith("Bearer"), "Basic realm=" in told) == (True, basic)


def test_a_token_is_told_as_it_must_be_sent() -> None:
    assert (header("abc"), header("Basic abc")) == ("Bearer abc", "Basic abc")
