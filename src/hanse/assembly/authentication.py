"""Who calls: by certificate inside an operator, by token for apps and clients, by both for partners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography import x509

from hanse.kit.certificates import issued_by, peer_uri, thumbprint
from hanse.kit.contract.call import Caller
from hanse.kit.contract.serve import Scope
from hanse.kit.problems import unauthorized
from hanse.kit.tokens import TokenVerifier

TokenCaller = Callable[[str], Caller]


class ElementAuthenticator:
    """Inside an operator: an element by the URI in its certificate, anyone else by a bearer token."""

    def __init__(self, operator: str, by_token: TokenCaller | None) -> None:
        self._operator = operator
        self._by_token = by_token
        self._known: dict[bytes, Caller] = {}

    def __call__(self, scope: Scope, headers: dict[bytes, bytes]) -> Caller:
        authorization = headers.get(b"authorization", b"")
        if authorization and self._by_token is not None:
            return self._by_token(bearer(authorization))
        certificate: bytes | None = scope.get("client_certificate")
        if certificate is None:
            raise unauthorized("send a bearer token, or show a certificate of the operator")
        caller = self._known.get(certificate)
        if caller is None:
            caller = self._known[certificate] = self._element(certificate)
        return caller

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
        self._known: dict[bytes, tuple[str, str]] = {}

    def partner(self, certificate: bytes | None) -> tuple[str, str]:
        """The partner that shows a certificate, and its thumbprint; each authority speaks for its own operator only."""
        if certificate is None:
            raise unauthorized("show the certificate of your operator")
        known = self._known.get(certificate)
        if known is None:
            known = self._known[certificate] = (self._identify(certificate), thumbprint(certificate))
        return known

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
        raise unauthorized("send Authorization: Bearer TOKEN")
    return token.strip()


def client_caller(verifier: TokenVerifier, operator: str) -> TokenCaller:
    """Clients of the management APIs, whose tokens say their role and tenant."""

    def caller(token: str) -> Caller:
        claims = verifier.verify(token)
        own: Mapping[str, Any] = claims.own
        role, tenant = str(own.get("role", "")), str(own.get("tenant", ""))
        return Caller(role=role, name=claims.subject, operator=operator, subject=tenant, trusted=False)

    return caller
