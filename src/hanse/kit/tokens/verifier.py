"""The verifier: whether a token holds, here and now; every refusal is a 401 that says which of them it is.

One ES256 check costs more than a whole handler. So a token that passed is remembered; time, revocations and the
certificate shown are looked at on every call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from hanse.kit.problems import Problem, unauthorized
from hanse.kit.recent import Recent
from hanse.kit.tokens.claims import LONGEST_LIFETIME, Claims, read_claims
from hanse.kit.tokens.revocations import Revocations, RevocationsSnapshot
from hanse.kit.tokens.shape import read_header

CACHED = 4096
LEEWAY = 5.0
"""Seconds that the clock of a verifier may be behind the issuer's; an expired token is never stretched."""


class TokenVerifier:
    """Verifies tokens of one issuer for one audience. Used from one thread: that of the event loop."""

    def __init__(
        self,
        keys: Iterable[Mapping[str, Any]],
        *,
        issuer: str,
        audience: str,
        clock: Callable[[], float] = time.time,
        revocations: Revocations | None = None,
    ) -> None:
        """``keys``: the issuer's public JWKs (`TokenIssuer.public_keys`), old and new ones while keys change.

        ``revocations`` may be shared with other verifiers. 500 if a key is not a P-256 key with a ``kid``.
        """
        self._keys = dict(_import(key) for key in keys)
        self._issuer, self._audience, self._clock = issuer, audience, clock
        self._revocations = revocations or Revocations(clock=clock)
        self._cache: Recent[str, Claims] = Recent(CACHED)

    def verify(self, token: str, *, thumbprint: str | None = None) -> Claims:
        """What the token says, if it holds (RFC 7519, 7.2; RFC 9068, 4); else a 401.

        ``thumbprint`` is that of the client certificate of the connection (RFC 8705, 3).
        """
        claims = self._cache.find(token)
        if claims is None:
            claims = self._verify_anew(token)
            self._check_now(claims, thumbprint)
            return self._cache.keep(token, claims)
        self._check_now(claims, thumbprint)
        return claims

    def revoke(self, jti: str) -> None:
        """Refuse the token with this id from now on."""
        self._revocations.revoke(jti)

    def revoke_subject(self, subject: str) -> None:
        """Refuse all tokens that the subject was issued until now."""
        self._revocations.revoke_subject(subject)

    def snapshot(self) -> RevocationsSnapshot:
        """The revocations, to be stored."""
        return self._revocations.snapshot()

    def restore(self, snapshot: RevocationsSnapshot) -> None:
        """Take up stored revocations."""
        self._revocations.restore(snapshot)

    def _verify_anew(self, token: str) -> Claims:
        claims = read_claims(self._checked_payload(token))
        if claims is None:
            raise unauthorized(
                "malformed: needs iss, sub, aud, exp, iat, jti of their types (RFC 9068, 2.2); cnf only with x5t#S256"
            )
        if claims.issuer != self._issuer:
            raise unauthorized(f"wrong issuer: tokens of {self._issuer} are taken, not of {claims.issuer}")
        if self._audience not in claims.audience:
            raise unauthorized(
                f"wrong audience: this is {self._audience}, the token is for {', '.join(claims.audience)}"
            )
        if claims.expires_at - claims.issued_at > LONGEST_LIFETIME + 1:
            raise unauthorized(f"too long-lived: {LONGEST_LIFETIME:.0f} s is the longest that revocations are kept")
        return claims

    def _checked_payload(self, token: str) -> bytes:
        key = self._keys.get(read_header(token).kid)
        if key is None:
            raise unauthorized("foreign key: the token is signed with a key that is none of its issuer's")
        try:
            return jws.deserialize_compact(token, key, ["ES256"]).payload
        except (JoseError, ValueError, RecursionError) as error:
            raise unauthorized("wrong signature: the token is not what its issuer signed") from error

    def _check_now(self, claims: Claims, thumbprint: str | None) -> None:
        now = self._clock()
        if claims.expires_at <= now:
            raise unauthorized(f"expired {now - claims.expires_at:.0f} s ago; get a new one from the token endpoint")
        if claims.issued_at > now + LEEWAY or claims.not_before > now + LEEWAY:
            raise unauthorized("not yet valid; compare the clocks of issuer and verifier")
        if self._revocations.cover(claims):
            raise unauthorized("revoked")
        if claims.bound_to is not None and claims.bound_to != thumbprint:
            raise unauthorized(_unbound(thumbprint))


def _unbound(thumbprint: str | None) -> str:
    if thumbprint is None:
        return "bound to a certificate, and none was shown; connect with the one that the token was issued for"
    return "bound to another certificate; connect with the one that the token was issued for"


def _import(key: Mapping[str, Any]) -> tuple[str, ECKey]:
    try:
        public = {name: key[name] for name in ("kty", "crv", "x", "y")}
        imported = ECKey.import_key(public)
        kid = key["kid"]
    except (KeyError, ValueError, TypeError, JoseError) as error:
        raise Problem(
            500, "Key of the token issuer", "must be a public P-256 JWK with kty, crv, x, y and kid"
        ) from error
    if imported.curve_name != "P-256":
        raise Problem(500, "Key of the token issuer", f"must be on P-256 for ES256, not on {imported.curve_name}")
    return str(kid), imported
