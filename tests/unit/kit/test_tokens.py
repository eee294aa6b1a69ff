"""Tokens: the right one is taken, and each wrong one is refused with the reason."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from hanse.kit.certificates import load_key
from hanse.kit.problems import Problem
from hanse.kit.recent import Recent
from hanse.kit.tokens import Claims, RevocationsSnapshot, TokenIssuer, TokenVerifier

ISSUER, AUDIENCE = "https://north.example", "hanse://north/mep.harbour"
DAY = 86_400


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now


class House:
    """An issuer, its verifier and one clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.issuer = TokenIssuer(self.key, issuer=ISSUER, clock=self.clock)
        self.verifier = self.new_verifier()

    def new_verifier(self) -> TokenVerifier:
        return TokenVerifier(self.issuer.public_keys, issuer=ISSUER, audience=AUDIENCE, clock=self.clock)

    def token(self, **wanted: Any) -> str:
        wanted = {"audience": AUDIENCE, "lifetime": 60, **wanted}
        return self.issuer.issue("south", **wanted).access_token

    def forge(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """A token that may be wrong in its header, its key or its claims (``None`` leaves a claim out)."""
        now = self.clock()
        right = {"iss": ISSUER, "sub": "south", "aud": AUDIENCE, "iat": now, "exp": now + 60, "jti": "j"}
        payload = {name: value for name, value in {**right, **claims}.items() if value is not None}
        full = {"alg": "ES256", "typ": "at+jwt", "kid": self.issuer.public_keys[0]["kid"], **(header or {})}
        signer = key or ECKey.import_key(self.key)
        algorithms = ["ES256", "HS256", "none", "ES384"]
        return jws.serialize_compact(full, msgspec.json.encode(payload), signer, algorithms)


@pytest.fixture
def house() -> House:
    return House()


def refusal(verifier: TokenVerifier, token: str, thumbprint: str | None = None) -> str:
    with pytest.raises(Problem) as refused:
        verifier.verify(token, thumbprint=thumbprint)
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")
    return refused.value.detail


def b64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def with_public_key_as_secret(house: House) -> str:
    secret = OctKey.import_key(msgspec.json.encode(house.issuer.public_keys[0]))
    return house.forge({"alg": "HS256"}, secret)


def with_other_payload(house: House) -> str:
    header, payload, signature = house.forge().split(".")
    return f"{header}.{payload[:-4]}AAAA.{signature}"


def of_another_issuers_key(house: House) -> str:
    return House().token()


def with_our_key_id_on_a_foreign_key(house: House) -> str:
    return house.forge(key=ECKey.generate_key("P-256", auto_kid=False))


def with_header(house: House, **more: Any) -> str:
    """Written by hand, for joserfc refuses to write it."""
    _, payload, signature = house.token().split(".")
    header = {"alg": "ES256", "typ": "at+jwt", "kid": house.issuer.public_keys[0]["kid"], **more}
    return f"{b64(msgspec.json.encode(header))}.{payload}.{signature}"


def nested(house: House) -> str:
    return f"{b64(b'[' * 5000)}.e30.AAAA"


REFUSED: list[tuple[str, Callable[[House], str]]] = [
    ("malformed", lambda house: ""),
    ("malformed", lambda house: "abc"),
    ("malformed", lambda house: "a.b.c.d"),
    ("malformed", lambda house: "e30=.e30.AAAA"),
    ("malformed", lambda house: f"{house.token()}\n"),
    ("malformed", lambda house: f"Bearer {house.token()}"),
    ("malformed", lambda house: f"{b64(b'{}')}.e30.AAAA"),
    ("malformed", lambda house: f"{b64(bytes([255, 254]))}.e30.AAAA"),
    ("malformed", lambda house: "é.e30.AAAA"),
    ("malformed", lambda house: "\ud800.e30.AAAA"),
    ("malformed", lambda house: "A" * 9000),
    ("malformed", nested),
    ("malformed", lambda house: with_header(house, crit=5)),
    ("malformed", lambda house: with_header(house, crit=["b64"], b64=False)),
    ("malformed", lambda house: with_header(house, jwk=house.issuer.public_keys[0])),
    ("malformed", lambda house: with_header(house, kid=7)),
    ("malformed", lambda house: house.forge(sub=None)),
    ("malformed", lambda house: house.forge(exp=None)),
    ("malformed", lambda house: house.forge(exp="never")),
    ("malformed", lambda house: house.forge(jti=None)),
    ("malformed", lambda house: house.forge(scope="two  spaces")),
    ("malformed", lambda house: house.forge(cnf={"jkt": "of DPoP"})),
    ("algorithm none", lambda house: house.forge({"alg": "none"})),
    ("algorithm None", lambda house: b64(b'{"alg":"None"}') + ".e30."),
    ("algorithm HS256", with_public_key_as_secret),
    ("algorithm ES384", lambda house: house.forge({"alg": "ES384"}, ECKey.generate_key("P-384"))),
    ("not an access token", lambda house: house.forge({"typ": "JWT"})),
    ("foreign key", of_another_issuers_key),
    ("foreign key", lambda house: house.forge({"kid": "unknown"})),
    ("wrong signature", with_our_key_id_on_a_foreign_key),
    ("wrong signature", with_other_payload),
    ("wrong signature", lambda house: house.token()[:-1]),
    ("wrong issuer", lambda house: house.forge(iss="https://south.example")),
    ("wrong audience", lambda house: house.forge(aud="hanse://north/meo")),
    ("wrong audience", lambda house: house.forge(aud=[])),
    ("expired", lambda house: house.forge(exp=house.clock() - 0.001)),
    ("not yet valid", lambda house: house.forge(iat=house.clock() + 6, exp=house.clock() + 60)),
    ("not yet valid", lambda house: house.forge(nbf=house.clock() + 6)),
    ("too long-lived", lambda house: house.forge(exp=house.clock() + DAY + 2)),
    ("bound to a certificate", lambda house: house.forge(cnf={"x5t#S256": "T"})),
]


@pytest.mark.parametrize(("reason", "make"), REFUSED)
def test_a_wrong_token_is_refused_with_the_reason(house: House, reason: str, make: Callable[[House], str]) -> None:
    token = make(house)
    assert refusal(house.verifier, token).startswith(reason)
    assert refusal(house.verifier, token).startswith(reason), "also the second time"


def test_a_right_token_says_who_may_do_what(house: House) -> None:
    token = house.token(scope=["fed-mgmt", "zones"], claims={"operator": "south", "client_id": "c1"}, bound_to="T")
    now = house.clock()
    claims = house.verifier.verify(token, thumbprint="T")
    assert (claims.subject, claims.client_id, claims.scope) == ("south", "c1", ("fed-mgmt", "zones"))
    assert (claims.issued_at, claims.expires_at, claims.bound_to) == (now, now + 60, "T")
    assert claims.own == {"operator": "south"}
    assert claims.allows("zones")
    assert not claims.allows("zone")


def test_a_remembered_token_expires_all_the_same(house: House) -> None:
    token = house.token()
    house.verifier.verify(token)
    house.clock.now += 59.9
    house.verifier.verify(token)
    house.clock.now += 0.1
    assert refusal(house.verifier, token).startswith("expired")


def test_a_stolen_token_is_worth_nothing_with_another_certificate(house: House) -> None:
    token = house.token(bound_to="ours")
    for _ in range(2):
        assert house.verifier.verify(token, thumbprint="ours").bound_to == "ours"
        assert refusal(house.verifier, token, "theirs").startswith("bound to another certificate")
        assert refusal(house.verifier, token).startswith("bound to a certificate")
    assert house.verifier.verify(house.token(), thumbprint="theirs").bound_to is None


def test_a_verifier_whose_clock_is_a_little_behind_takes_new_tokens(house: House) -> None:
    token = house.token()
    house.clock.now -= 4.9
    house.verifier.verify(token)


def test_no_flipped_bit_passes(house: House) -> None:
    """Property: every bit of a token counts, those that base64 leaves unused in the signature too."""
    token = house.token(scope=["fed-mgmt"])
    house.verifier.verify(token)
    for position in range(len(token)):
        for bit in range(8):
            other = token[:position] + chr(ord(token[position]) ^ 1 << bit) + token[position + 1 :]
            assert refusal(house.verifier, other)


def test_a_token_has_one_writing_only(house: House) -> None:
    """The last character of a signature has four unused bits: 16 writings of the same bytes, one of them right."""
    token = house.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for last in alphabet.replace(token[-1], ""):
        assert refusal(house.verifier, token[:-1] + last).startswith("wrong signature")


def test_a_new_key_is_taken_beside_the_old_one(house: House) -> None:
    old, new = house.issuer, TokenIssuer(ec.generate_private_key(ec.SECP256R1()), issuer=ISSUER, clock=house.clock)
    both = TokenVerifier(old.public_keys + new.public_keys, issuer=ISSUER, audience=AUDIENCE, clock=house.clock)
    for issuer in (old, new):
        assert both.verify(issuer.issue("south", audience=[AUDIENCE, "x"], lifetime=60).access_token).subject == "south"


def test_the_key_survives_a_restart_and_its_private_part_is_not_given_out(tmp_path: Path) -> None:
    first = TokenIssuer(tmp_path / "tokens.pem", issuer=ISSUER)
    assert TokenIssuer(tmp_path / "tokens.pem", issuer=ISSUER).public_keys == first.public_keys
    assert set(first.public_keys[0]) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert load_key(tmp_path / "tokens.pem")


@pytest.mark.parametrize(
    "wanted",
    [{"lifetime": 0}, {"lifetime": DAY + 1}, {"scope": ["a b"]}, {"scope": "zones"}, {"claims": {"exp": 1}}],
)
def test_what_no_verifier_would_take_is_not_issued(house: House, wanted: dict[str, Any]) -> None:
    with pytest.raises(Problem):
        house.token(**wanted)


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "1"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "1"},
        {**ECKey.generate_key("P-384").as_dict(private=False), "kid": "1"},
        {name: value for name, value in ECKey.generate_key("P-256").as_dict(private=False).items() if name != "kid"},
    ],
)
def test_a_key_that_cannot_verify_es256_is_refused_at_start(key: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="Key of the token issuer"):
        TokenVerifier([key], issuer=ISSUER, audience=AUDIENCE)


def test_a_token_that_was_seen_costs_its_hash_and_little_more(house: House) -> None:
    """A check of the signature takes some 80 µs, more than a handler; the hash and the checks of each time some 5."""
    tokens = [house.token(bound_to="T") for _ in range(200)]
    unseen = min(_seconds_of(house.verifier, token) for token in tokens)
    seen = min(_seconds_of(house.verifier, token) for token in tokens)
    assert seen < unseen / 4


def _seconds_of(verifier: TokenVerifier, token: str) -> float:
    begun = time.perf_counter()
    verifier.verify(token, thumbprint="T")
    return time.perf_counter() - begun


def test_memory_is_bounded_however_many_tokens_come(house: House) -> None:
    house.verifier._cache = Recent(3)
    tokens = [house.token() for _ in range(10)]
    for token in (*tokens, *tokens):
        house.verifier.verify(token)
    assert len(house.verifier._cache) == 3


class TestRevocation:
    def issued(self, house: House, subject: str = "south") -> tuple[str, str]:
        issued = house.issuer.issue(subject, audience=AUDIENCE, lifetime=60)
        house.verifier.verify(issued.access_token)
        return issued.access_token, issued.jti

    def test_a_revoked_token_is_refused_at_once_though_remembered(self, house: House) -> None:
        (token, jti), (other, _) = self.issued(house), self.issued(house)
        house.verifier.revoke(jti)
        assert refusal(house.verifier, token) == "revoked"
        assert house.verifier.verify(other)

    def test_a_subject_loses_its_tokens_and_may_get_new_ones(self, house: House) -> None:
        (token, _), (other, _) = self.issued(house), self.issued(house, "west")
        house.verifier.revoke_subject("south")
        house.clock.now += 0.001
        assert refusal(house.verifier, token) == "revoked"
        assert house.verifier.verify(other).subject == "west"
        assert house.verifier.verify(self.issued(house)[0]).subject == "south"

    def test_revocations_outlive_a_restart(self, house: House) -> None:
        (token, jti), (west, _) = self.issued(house), self.issued(house, "west")
        house.verifier.revoke(jti)
        house.verifier.revoke_subject("west")
        stored = msgspec.json.encode(house.verifier.snapshot())
        restarted = house.new_verifier()
        restarted.restore(msgspec.json.decode(stored, type=RevocationsSnapshot))
        assert refusal(restarted, token) == refusal(restarted, west) == "revoked"

    def test_an_old_snapshot_brings_nothing_back_to_life(self, house: House) -> None:
        stored = house.verifier.snapshot()
        token, jti = self.issued(house)
        house.verifier.revoke(jti)
        house.verifier.restore(stored)
        assert refusal(house.verifier, token) == "revoked"

    def test_a_subject_revoked_twice_stays_revoked_up_to_the_second_time(self, house: House) -> None:
        house.verifier.revoke_subject("south")
        stored = house.verifier.snapshot()
        house.clock.now += 1
        token, _ = self.issued(house)
        house.clock.now += 1
        house.verifier.revoke_subject("south")
        house.verifier.restore(stored)
        assert refusal(house.verifier, token) == "revoked"

    def test_they_are_forgotten_when_no_such_token_can_be_alive(self, house: House) -> None:
        house.verifier.revoke("j")
        house.verifier.revoke_subject("south")
        house.clock.now += DAY
        assert house.verifier.snapshot() != RevocationsSnapshot()
        house.clock.now += 120
        house.verifier.revoke("k")
        assert set(house.verifier._revocations._tokens) == {"k"}
        assert house.verifier.snapshot().subjects == {}


def test_claims_cannot_be_changed_by_one_who_uses_them(house: House) -> None:
    claims: Claims = house.verifier.verify(house.token(claims={"operator": "south"}))
    with pytest.raises(TypeError):
        claims.own["operator"] = "north"  # type: ignore[index]
    with pytest.raises(AttributeError):
        claims.subject = "north"
