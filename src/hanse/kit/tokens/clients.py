"""OAuth 2.0 clients and how they prove who they are (RFC 6749, 2.3; RFC 8705, 2)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from hanse.kit.problems import bad_request
from hanse.kit.tokens.claims import LONGEST_LIFETIME, RESERVED
from hanse.kit.tokens.scope import well_formed
from hanse.kit.values import Value

SHORTEST_SECRET = 32
_NO_SECRET = hashlib.sha256(b"").hexdigest()
_HASH = re.compile(r"[0-9a-f]{64}")
# No ':' '%' '+': clients that encode their id for Basic (RFC 6749, 2.3.1) and those that do not then say the same.
_CLIENT_ID = re.compile(r"[A-Za-z0-9_./~@-]{1,128}")


class Client(Value):
    """A client: what is registered to know it by, and what its tokens may be.

    A client must show **all** that is registered: the secret behind ``secret_hash`` (from `hash_secret`), a certificate
    with one of the ``thumbprints``, or one that names the ``uri`` (RFC 8705, 2.1.2), which outlasts renewals.
    ``token_lifetime`` in seconds.
    """

    client_id: str
    audience: tuple[str, ...]
    scope: tuple[str, ...] = ()
    secret_hash: str | None = None
    thumbprints: tuple[str, ...] = ()
    uri: str | None = None
    token_lifetime: float = 600.0
    claims: dict[str, Any] = {}

    def knows(self, secret: str | None, thumbprint: str | None, uri: str | None) -> bool:
        """Whether this is what is registered; takes as long for a wrong secret as for a right one."""
        known_secret = hmac.compare_digest(_digest(secret or ""), self.secret_hash or _NO_SECRET)
        known_certificate = not self.thumbprints or thumbprint in self.thumbprints
        return known_secret and known_certificate and self.uri in (None, uri)


class Credentials:
    """The clients that a token endpoint knows."""

    def __init__(self, clients: Iterable[Client] = ()) -> None:
        self._clients: dict[str, Client] = {}
        for client in clients:
            self.add(client)

    def __iter__(self) -> Iterator[Client]:
        return iter(self._clients.values())

    def add(self, client: Client) -> None:
        """Register a client, or replace the one of the same id; 400 if it could never get a token."""
        for good, field, right in _requirements(client):
            if not good:
                raise bad_request(f"{field} of client {client.client_id}", right)
        self._clients[client.client_id] = client

    def remove(self, client_id: str) -> None:
        """Forget a client; its tokens live on until they are revoked or expire."""
        self._clients.pop(client_id, None)

    def authenticate(
        self, client_id: str, *, secret: str | None, thumbprint: str | None, uri: str | None = None
    ) -> Client | None:
        """The client, if it showed all that is registered for it."""
        client = self._clients.get(client_id)
        if client is None:
            hmac.compare_digest(_digest(secret or ""), _NO_SECRET)  # a name is not found out by the time it takes
            return None
        return client if client.knows(secret, thumbprint, uri) else None


def _requirements(client: Client) -> list[tuple[object, str, str]]:
    secret, lifetime = client.secret_hash, client.token_lifetime
    known_by = secret or client.thumbprints or client.uri
    return [
        (_CLIENT_ID.fullmatch(client.client_id), "client_id", "1 to 128 letters, digits and '_./~@-'"),
        (known_by, "Credentials", "a secret's hash, a certificate's thumbprint or its URI"),
        (secret is None or _hashed(secret), "secret_hash", "must come from hash_secret"),
        (client.audience, "Audience", "must name who takes its tokens"),
        (well_formed(client.scope), "Scope", "must be words of printable ASCII (RFC 6749, 3.3)"),
        (0 < lifetime <= LONGEST_LIFETIME, "token_lifetime", f"above 0, up to {LONGEST_LIFETIME:.0f} s"),
        (not RESERVED & client.claims.keys(), "Claims", f"the issuer itself sets {', '.join(sorted(RESERVED))}"),
    ]


def _hashed(secret_hash: str) -> bool:
    return _HASH.fullmatch(secret_hash) is not None and secret_hash != _NO_SECRET


def new_secret() -> str:
    """A secret of 256 random bits; it is told once, to its client, and kept as its hash only."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """What is kept of a secret: its SHA-256 in hex.

    Slow hashes (scrypt) protect what people invent. Against 256 random bits no search helps, and each token request
    would pay for it. So a short secret is refused (400).
    """
    if len(secret) < SHORTEST_SECRET:
        raise bad_request(
            "Client secret", f"must have at least {SHORTEST_SECRET} random characters; let hanse make one"
        )
    return _digest(secret)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
