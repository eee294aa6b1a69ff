"""Clients of an operator's management: known by secrets in files, which may be changed while everything runs.

A token names the secret for which it was given. When the file holds another one, or is gone, the tokens of the former
one are refused from the next call on, in every process: there is nothing to be told to anybody.
"""

from __future__ import annotations

import hashlib
import logging

from hanse.assembly.catalogue import Element
from hanse.assembly.settings import Settings
from hanse.assembly.tables import ClientSettings
from hanse.kit.contract.call import Caller
from hanse.kit.problems import Problem, bad_request, unauthorized
from hanse.kit.tokens import Client, Credentials, TokenAnswer, TokenIssuer, TokenVerifier, hash_secret, token_endpoint
from hanse.kit.watched_file import WatchedFile

log = logging.getLogger("hanse.clients")

ROLES = {"oss": ("customer", "administrator"), "meo": ("oss",)}
"""Who gets tokens where."""


class Clients:
    """The clients of one element: gives them tokens, and says who shows one."""

    def __init__(self, settings: Settings, element: Element, issuer: TokenIssuer) -> None:
        """A problem 400 if the secret of one of them is not there or too short."""
        found = {name: c for name, c in settings.clients.items() if c.role in ROLES[element.role]}
        self._operator = settings.operator.name
        self._issuer = issuer
        self._verifier = TokenVerifier(issuer.public_keys, issuer=element.url, audience=element.url)
        self._known = {name: _Known(settings, name, client, element.url) for name, client in found.items()}

    def token(self, form: bytes, authorization: str | None) -> TokenAnswer:
        """The token endpoint (RFC 6749, 4.4)."""
        present = [client for known in self._known.values() if (client := known.client()) is not None]
        return token_endpoint(form, authorization, credentials=Credentials(present), issuer=self._issuer)

    def caller(self, token: str) -> Caller:
        """The client that shows this token; a problem 401 if it is not good, or not for the secret of now."""
        claims = self._verifier.verify(token)
        known = self._known.get(claims.subject)
        client = known.client() if known is not None else None
        if client is None or claims.own.get("secret") != client.claims["secret"]:
            raise unauthorized("revoked: the client's secret is another one now; get a token with it")
        role, tenant = str(client.claims["role"]), str(client.claims["tenant"])
        return Caller(role=role, name=claims.subject, operator=self._operator, subject=tenant, trusted=False)


class _Known:
    """A client as its secret file says."""

    def __init__(self, settings: Settings, name: str, client: ClientSettings, audience: str) -> None:
        self._name = name
        self._settings = client
        self._audience = audience
        self._file = WatchedFile(settings.file(client.secret_file))
        self._file.changed()
        self._client: Client | None = self._read(settings)

    def _read(self, settings: Settings) -> Client:
        key = f"clients.{self._name}.secret_file"
        secret = settings.content(key, self._settings.secret_file).decode("utf-8", "replace").strip()
        if not secret:
            detail = f"{self._file.path} is empty: put the secret there, or let hanse client rotate make one"
            raise bad_request(f"{settings.path}: Invalid key {key}", detail)
        return self._made(secret)

    def client(self) -> Client | None:
        """The client with its secret of now; ``None`` while there is no usable one."""
        if self._file.changed():
            try:
                self._client = self._made((self._file.content or b"").decode("utf-8", "replace").strip())
            except Problem as problem:
                log.warning("client %s gets no tokens, those it has are refused: %s", self._name, problem)
                self._client = None
        return self._client

    def _made(self, secret: str) -> Client:
        known = hash_secret(secret)
        claims = {"role": self._settings.role, "tenant": self._settings.tenant, "secret": _mark(known)}
        return Client(client_id=self._name, audience=(self._audience,), secret_hash=known, claims=claims)


def _mark(secret_hash: str) -> str:
    """What a token says of the secret for which it was given: nothing that helps to find it."""
    return hashlib.sha256(f"hanse token {secret_hash}".encode()).hexdigest()[:32]
