"""The token endpoint: who is known gets a token for what it may, everybody else learns what is wrong."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hanse.kit.problems import Problem
from hanse.kit.tokens import (
    Client,
    Credentials,
    TokenAnswer,
    TokenIssuer,
    TokenVerifier,
    hash_secret,
    new_secret,
    parse_basic,
    token_endpoint,
)

SECRET = new_secret()
PROVIDER = "hanse://north/federation_manager"
GRANT = {"grant_type": "client_credentials"}
SOUTH = {**GRANT, "client_id": "south", "client_secret": SECRET}


def client(client_id: str = "south", **wanted: Any) -> Client:
    wanted = {"audience": (PROVIDER,), "scope": ("fed-mgmt", "zones"), "secret_hash": hash_secret(SECRET), **wanted}
    return Client(client_id=client_id, **wanted)


class Endpoint:
    """An endpoint with three clients: by secret, by certificate, by both."""

    def __init__(self) -> None:
        self.issuer = TokenIssuer(ec.generate_private_key(ec.SECP256R1()), issuer="https://north.example")
        self.verifier = TokenVerifier(self.issuer.public_keys, issuer=self.issuer.issuer, audience=PROVIDER)
        by_certificate = client("west", secret_hash=None, thumbprints=("W1", "W2"), claims={"operator": "west"})
        both = client("east", thumbprints=("E",))
        self.credentials = Credentials([client(), by_certificate, both])

    def ask(
        self, form: dict[str, str] | bytes, authorization: str | None = None, thumbprint: str | None = None
    ) -> TokenAnswer:
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        return token_endpoint(
            body, authorization, credentials=self.credentials, issuer=self.issuer, thumbprint=thumbprint
        )


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def read(answer: TokenAnswer) -> dict[str, Any]:
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    return msgspec.json.decode(answer.body, type=dict[str, Any])


@pytest.mark.parametrize(
    ("form", "authorization", "thumbprint", "subject"),
    [
        (SOUTH, None, None, "south"),
        (GRANT, basic("south", SECRET), None, "south"),
        ({**GRANT, "client_id": "south"}, basic("south", SECRET), None, "south"),
        (GRANT, basic("south", SECRET).replace("Basic", "basic"), "any", "south"),
        ({**GRANT, "client_id": "west"}, None, "W1", "west"),
        ({**GRANT, "client_id": "west", "client_secret": ""}, None, "W2", "west"),
        ({**SOUTH, "client_id": "east"}, None, "E", "east"),
    ],
    ids=["form", "header", "both", "lower-case", "certificate", "other-certificate", "secret-and-certificate"],
)
def test_a_known_client_gets_a_token_that_its_provider_takes(
    endpoint: Endpoint, form: dict[str, str], authorization: str | None, thumbprint: str | None, subject: str
) -> None:
    answer = endpoint.ask(form, authorization, thumbprint)
    body = read(answer)
    assert answer.status == 200
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "fed-mgmt zones")
    claims = endpoint.verifier.verify(body["access_token"], thumbprint=thumbprint)
    assert (claims.subject, claims.client_id, claims.bound_to) == (subject, subject, thumbprint)


REFUSED: list[tuple[str, dict[str, str] | bytes, str | None, str | None]] = [
    ("invalid_request", b"", None, None),
    ("invalid_request", {"client_id": "south", "client_secret": SECRET}, None, None),
    ("invalid_request", {**SOUTH, "grant_type": ""}, None, None),
    ("invalid_request", b"grant_type=client_credentials&grant_type=client_credentials", None, None),
    ("invalid_request", b"grant_type=%ff", None, None),
    ("invalid_request", b"grant_type=\xff", None, None),
    ("invalid_request", b"a=1&" * 33, None, None),
    ("invalid_request", b"grant_type=" + b"x" * 8192, None, None),
    ("invalid_request", SOUTH, basic("south", SECRET), None),
    ("invalid_request", {**GRANT, "client_id": "west"}, basic("south", SECRET), None),
    ("unsupported_grant_type", {**SOUTH, "grant_type": "password"}, None, None),
    ("unsupported_grant_type", {**SOUTH, "grant_type": "refresh_token"}, None, None),
    ("invalid_client", GRANT, None, None),
    ("invalid_client", {**GRANT, "client_id": "south"}, None, None),
    ("invalid_client", {**SOUTH, "client_secret": SECRET[:-1]}, None, None),
    ("invalid_client", {**SOUTH, "client_secret": hash_secret(SECRET)}, None, None),
    ("invalid_client", {**SOUTH, "client_id": "nobody"}, None, None),
    ("invalid_client", GRANT, basic("south", "wrong"), None),
    ("invalid_client", GRANT, basic("south", ""), None),
    ("invalid_client", GRANT, basic("nobody", SECRET), None),
    ("invalid_client", GRANT, "Bearer abc", None),
    ("invalid_client", GRANT, "Basic", None),
    ("invalid_client", GRANT, "Basic !!!", None),
    ("invalid_client", {**GRANT, "client_id": "west"}, None, None),
    ("invalid_client", {**GRANT, "client_id": "west"}, None, "E"),
    ("invalid_client", {**SOUTH, "client_id": "west"}, None, "W1"),
    ("invalid_client", {**SOUTH, "client_id": "east"}, None, None),
    ("invalid_client", {**SOUTH, "client_id": "east"}, None, "W1"),
    ("invalid_client", {**GRANT, "client_id": "east"}, None, "E"),
    ("invalid_scope", {**SOUTH, "scope": "fed-mgmt admin"}, None, None),
    ("invalid_scope", {**SOUTH, "scope": "fed-mgmt  zones"}, None, None),
    ("invalid_scope", {**SOUTH, "scope": 'zo"nes'}, None, None),
]


@pytest.mark.parametrize(
    ("error", "form", "authorization", "thumbprint"),
    REFUSED,
    ids=[f"{number}-{row[0]}" for number, row in enumerate(REFUSED)],
)
def test_a_wrong_request_is_refused_in_the_words_of_oauth(
    endpoint: Endpoint, error: str, form: dict[str, str] | bytes, authorization: str | None, thumbprint: str | None
) -> None:
    answer = endpoint.ask(form, authorization, thumbprint)
    body = read(answer)
    assert body["error"] == error
    assert not set(body["error_description"]) & {'"', "\\"}  # RFC 6749, 5.2
    assert answer.status == (401 if error == "invalid_client" else 400)
    assert ("WWW-Authenticate" in answer.headers) == (error == "invalid_client")
    assert SECRET.encode() not in answer.body


@pytest.mark.parametrize(("uri", "status"), [("hanse://west/meo", 200), ("hanse://west/mep", 401), (None, 401)])
def test_a_client_known_by_its_uri_keeps_its_access_when_its_certificate_is_renewed(
    endpoint: Endpoint, uri: str | None, status: int
) -> None:
    endpoint.credentials.add(client("west/meo", secret_hash=None, uri="hanse://west/meo"))
    form = urlencode({**GRANT, "client_id": "west/meo"}).encode()
    for thumbprint in ("before", "after"):
        answer = token_endpoint(
            form, None, credentials=endpoint.credentials, issuer=endpoint.issuer, thumbprint=thumbprint, uri=uri
        )
        assert answer.status == status


def test_a_client_may_ask_for_less_than_it_may(endpoint: Endpoint) -> None:
    body = read(endpoint.ask({**SOUTH, "scope": "zones zones"}))
    assert body["scope"] == "zones"
    assert endpoint.verifier.verify(body["access_token"]).scope == ("zones",)


def test_tokens_carry_what_was_registered_with_the_client(endpoint: Endpoint) -> None:
    body = read(endpoint.ask({**GRANT, "client_id": "west"}, None, "W1"))
    assert endpoint.verifier.verify(body["access_token"], thumbprint="W1").own == {"operator": "west"}


def test_a_client_without_scope_gets_a_token_without_scope(endpoint: Endpoint) -> None:
    endpoint.credentials.add(client(scope=()))
    body = read(endpoint.ask(SOUTH))
    assert "scope" not in body
    assert endpoint.verifier.verify(body["access_token"]).scope == ()


def test_a_removed_client_gets_nothing_more_and_a_changed_secret_counts_at_once(endpoint: Endpoint) -> None:
    changed = new_secret()
    endpoint.credentials.add(client(secret_hash=hash_secret(changed)))
    assert endpoint.ask(SOUTH).status == 401
    assert endpoint.ask({**SOUTH, "client_secret": changed}).status == 200
    endpoint.credentials.remove("south")
    assert endpoint.ask({**SOUTH, "client_secret": changed}).status == 401


def test_clients_can_be_stored_and_a_secret_is_not_among_it(endpoint: Endpoint) -> None:
    stored = msgspec.json.encode(list(endpoint.credentials))
    assert SECRET.encode() not in stored
    assert list(Credentials(msgspec.json.decode(stored, type=list[Client]))) == list(endpoint.credentials)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"client_id": "a:b"}, "client_id"),
        ({"client_id": ""}, "client_id"),
        ({"secret_hash": None}, "Credentials"),
        ({"secret_hash": ""}, "Credentials"),
        ({"secret_hash": "", "thumbprints": ("T",)}, "secret_hash"),
        ({"secret_hash": SECRET}, "secret_hash"),
        ({"secret_hash": hashlib.sha256(b"").hexdigest()}, "secret_hash"),
        ({"audience": ()}, "Audience"),
        ({"scope": ("a b",)}, "Scope"),
        ({"token_lifetime": 0.0}, "token_lifetime"),
        ({"token_lifetime": 1e6}, "token_lifetime"),
        ({"claims": {"sub": "north"}}, "Claims"),
    ],
)
def test_a_client_that_could_never_get_a_token_is_refused_when_registered(wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(Problem, match=said) as refused:
        Credentials([client(**wanted)])
    assert refused.value.status == 400


def test_a_secret_that_people_invent_is_not_taken() -> None:
    with pytest.raises(Problem, match="at least 32 random characters"):
        hash_secret("correct horse battery staple")
    assert new_secret() != new_secret()


@pytest.mark.parametrize(
    ("header", "read_as"),
    [
        (basic("north/meo", "a b:c%"), ("north/meo", "a b:c%")),
        ("Basic " + base64.b64encode(b"north/meo:plain-secret").decode(), ("north/meo", "plain-secret")),
        ("Basic " + base64.b64encode(b"no colon").decode(), None),
        ("Basic " + base64.b64encode(b"\xff:x").decode(), None),
        ("Basic " + base64.b64encode(b"%ff:x").decode(), None),
        ("Basic é", None),
        ("Digest x", None),
        ("", None),
    ],
)
def test_clients_that_encode_their_credentials_and_those_that_do_not_are_understood(
    header: str, read_as: tuple[str, str] | None
) -> None:
    assert parse_basic(header) == read_as
