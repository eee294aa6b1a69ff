"""The issuer: signs access tokens with ES256 in the JWT profile (RFC 9068)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey

from hanse.kit.certificates import ensure_key
from hanse.kit.problems import Problem
from hanse.kit.tokens.claims import LONGEST_LIFETIME, RESERVED, TYPE
from hanse.kit.tokens.scope import well_formed
from hanse.kit.values import Value


class IssuedToken(Value):
    """A new token; ``expires_in`` in seconds from now, ``expires_at`` in Unix seconds, ``jti`` to revoke it by."""

    access_token: str
    expires_in: int
    expires_at: float
    jti: str


class TokenIssuer:
    """Issues tokens under one name, the ``iss`` claim, with one key."""

    def __init__(
        self, key: Path | ec.EllipticCurvePrivateKey, *, issuer: str, clock: Callable[[], float] = time.time
    ) -> None:
        """``key``: a P-256 key or the file that holds one (PEM, 0600; made if it is not there)."""
        self.issuer = issuer
        self._clock = clock
        self._key = ECKey.import_key(ensure_key(key) if isinstance(key, Path) else key)
        self._header = {"alg": "ES256", "typ": TYPE, "kid": self._key.thumbprint()}

    @property
    def public_keys(self) -> list[dict[str, Any]]:
        """What verifiers need: the public JWKs, ``kid`` is the key's thumbprint (RFC 7517; RFC 7638)."""
        return [{**self._key.as_dict(private=False), "kid": self._header["kid"], "use": "sig", "alg": "ES256"}]

    def issue(
        self,
        subject: str,
        *,
        audience: str | Sequence[str],
        scope: Sequence[str] = (),
        lifetime: float,
        bound_to: str | None = None,
        claims: Mapping[str, Any] | None = None,
    ) -> IssuedToken:
        """A token for ``subject``, good for ``lifetime`` seconds (up to ``LONGEST_LIFETIME``).

        ``bound_to`` is the thumbprint of the certificate that must be shown with it (RFC 8705, 3.1); ``claims`` are
        the issuer's own. 500 for what no verifier would take: a reserved claim, a malformed scope, a lifetime too long.
        """
        own = dict(claims or {})
        client_id = own.pop("client_id", subject)
        _check(own, scope, lifetime)
        # The time is not rounded: "all tokens issued until now" divides those of the same second.
        now, jti = self._clock(), secrets.token_urlsafe(16)
        payload: dict[str, Any] = {
            **own,
            "iss": self.issuer,
            "sub": subject,
            "aud": audience if isinstance(audience, str) else list(audience),
            "client_id": client_id,
            "iat": now,
            "exp": now + lifetime,
            "jti": jti,
        }
        if scope:
            payload["scope"] = " ".join(scope)
        if bound_to is not None:
            payload["cnf"] = {"x5t#S256": bound_to}
        token = jws.serialize_compact(dict(self._header), msgspec.json.encode(payload), self._key, ["ES256"])
        return IssuedToken(access_token=token, expires_in=int(lifetime), expires_at=now + lifetime, jti=jti)


def _check(own: Mapping[str, Any], scope: Sequence[str], lifetime: float) -> None:
    taken = sorted(RESERVED & own.keys())
    if taken:
        raise Problem(500, f"Claim {taken[0]}", "is set by the issuer; give claims names of their own")
    if isinstance(scope, str) or not well_formed(scope):
        raise Problem(
            500, "Scope of a token", f"must be a list of words of printable ASCII (RFC 6749, 3.3), not {scope!r}"
        )
    if not 0 < lifetime <= LONGEST_LIFETIME:
        raise Problem(500, "Lifetime of a token", f"must be above 0 and up to {LONGEST_LIFETIME:.0f} s, not {lifetime}")
