"""Who calls: by certificate inside an operator, by token for apps and clients, by both for partners."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cryptography import x509

from hanse.kit.certificates import issued_by, peer_uri, thumbprint
from hanse.kit.contract.asgi import Scope
from hanse.kit.contract.call import Caller
from hanse.kit.problems import unauthenticated, unauthorized
from hanse.kit.recent import Recent
from hanse.kit.tokens import TokenVerifier

TokenCaller = Callable[[str], Caller]

REMEMBERED = 1024
"""Certificates of which it is remembered whose they are."""


class ElementAuthenticator:
    """Inside an operator: an element by the URI in its certificate, anyone else by a bearer token."""

    def __init__(
        self, operator: str, by_token: TokenCaller | None, revoked: Callable[[bytes], bool] = lambda _shown: False
    ) -> None:
        """``revoked`` says of a certificate (DER) whether its key counts no more."""
        self._operator = operator
        self._by_token = by_token
        self._revoked = revoked
        self._known: Recent[bytes, Caller] = Recent(REMEMBERED)

    def __call__(self, scope: Scope, headers: dict[bytes, bytes]) -> Caller:
        authorization = headers.get(b"authorization", b"")
        if authorization and self._by_token is not None:
            return self._by_token(bearer(authorization))
        certificate: bytes | None = scope.get("client_certificate")
        if certificate is None:
            raise unauthenticated("send a bearer token, or show a certificate of the operator")
        if self._revoked(certificate):
            raise unauthorized("revoked: the key of the certificate is another one now")
        return self._known.find(certificate) or self._known.keep(certificate, self._element(certificate))

    def _element(self, certificate: bytes) -> Caller:
        """TLS has checked that the operator's own authority issued it; the URI says to whom."""
        prefix = f"hanse://{self._operator}/"
        uri = peer_uri(certificate) or ""
        if not uri.startswith(prefix):
            raise unauthorized("the certificate names no element of this operator")
        return element_caller(self._operator, uri.removeprefix(prefix))


def element_caller(operator: str, name: str) -> Caller:
    """An element, administrator or customer as a caller, from its name: ``mep.harbour``, ``customer.acme``."""
    role, _, rest = name.partition(".")
    if role == "customer":
        return Caller(role=role, name=name, operator=operator, subject=rest)
    return Caller(role=role, name=name, operator=operator, trusted=role != "administrator")


class PartnerAuthenticator:
    """At the border: a partner by its certificate, and a token that is bound to it (RFC 8705, 3)."""

    def __init__(
        self, authorities: Mapping[str, x509.Certificate], verifier: TokenVerifier, current: Callable[[str], int | None]
    ) -> None:
        self._authorities = authorities
        self._verifier = verifier
        self._current = current
        self._known: Recent[bytes, tuple[str, str]] = Recent(REMEMBERED)

    def partner(self, certificate: bytes | None) -> tuple[str, str]:
        """The partner that shows a certificate, and its thumbprint; each authority speaks for its own operator only."""
        if certificate is None:
            raise unauthorized("show the certificate of your operator")
        known = self._known.find(certificate)
        return known or self._known.keep(certificate, (self._identify(certificate), thumbprint(certificate)))

    def _identify(self, certificate: bytes) -> str:
        uri = peer_uri(certificate) or ""
        name = uri.removeprefix("hanse://")
        authority = self._authorities.get(name)
        if authority is None or not issued_by(certificate, authority):
            raise unauthorized("the certificate is not that of a partner")
        return name

    def __call__(self, scope: Scope, headers: dict[bytes, bytes]) -> Caller:
        name, shown = self.partner(scope.get("client_certificate"))
        claims = self._verifier.verify(bearer(headers.get(b"authorization", b"")), thumbprint=shown)
        if claims.bound_to is None:
            raise unauthorized("the token is not bound to a certificate")
        if claims.subject != name or claims.own.get("epoch") != self._current(name):
            raise unauthorized("the token is of another agreement")
        return Caller(role="partner", name=name, operator=name, subject=name)


def bearer(authorization: bytes) -> str:
    """The token of an Authorization header; a problem 401 if it has none."""
    if authorization.startswith(b"Bearer ey"):
        return authorization[7:].strip().decode("latin-1")
    scheme, _, token = authorization.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated("send Authorization: Bearer TOKEN")
    return token.strip()
