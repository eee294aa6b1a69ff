"""The token endpoint without its socket: a token request in, an answer out (RFC 6749, 4.4, 5.1 and 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hanse.kit.tokens import scope as scopes
from hanse.kit.tokens.clients import Client, Credentials
from hanse.kit.tokens.form import parse_basic, parse_form
from hanse.kit.tokens.issuer import TokenIssuer
from hanse.kit.values import Value

_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="hanse", charset="UTF-8"'}


class TokenAnswer(Value):
    """An HTTP answer; the body is JSON."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Refusal(Exception):
    def __init__(self, error: str, description: str) -> None:
        super().__init__(error, description)
        self.error, self.description = error, description


def token_endpoint(
    form: bytes,
    authorization: str | None,
    *,
    credentials: Credentials,
    issuer: TokenIssuer,
    thumbprint: str | None = None,
    uri: str | None = None,
) -> TokenAnswer:
    """Answer ``POST`` with a form body: the client credentials grant, and no other.

    ``authorization`` is the header of that name; ``thumbprint`` and ``uri`` are those of the connection's client
    certificate, the URI only if it is its authority's to give (`hanse.kit.certificates.issued_by`). A client that shows
    a certificate gets a token bound to it, also if it is known by its secret (RFC 8705, 3).
    """
    try:
        request = _parse(form)
        client = _authenticate(credentials, request, authorization, thumbprint, uri)
        scope = _granted(request, client)
    except _Refusal as refusal:
        return _refuse(refusal)
    issued = issuer.issue(
        client.client_id,
        audience=client.audience,
        scope=scope,
        lifetime=client.token_lifetime,
        bound_to=thumbprint,
        claims=client.claims,
    )
    body = {"access_token": issued.access_token, "token_type": "Bearer", "expires_in": issued.expires_in}
    return _answer(200, {**body, "scope": " ".join(scope)} if scope else body)


def _parse(form: bytes) -> dict[str, str]:
    try:
        request = parse_form(form)
    except ValueError as error:
        raise _Refusal("invalid_request", str(error)) from error
    if "grant_type" not in request:
        raise _Refusal("invalid_request", "grant_type is missing; it must be client_credentials")
    if request["grant_type"] != "client_credentials":
        raise _Refusal("unsupported_grant_type", "grant_type must be client_credentials")
    return request


def _authenticate(
    credentials: Credentials,
    request: Mapping[str, str],
    authorization: str | None,
    thumbprint: str | None,
    uri: str | None,
) -> Client:
    client_id, secret = _claimed(request, authorization)
    client = credentials.authenticate(client_id, secret=secret, thumbprint=thumbprint, uri=uri)
    if client is None:  # which of them it was is not told: it would help only who guesses
        raise _Refusal("invalid_client", "no such client, or not the secret or the certificate registered for it")
    return client


def _claimed(request: Mapping[str, str], authorization: str | None) -> tuple[str, str | None]:
    """Client id and secret, from the header or the form, not from both (RFC 6749, 2.3)."""
    if authorization is None:
        if "client_id" not in request:
            raise _Refusal("invalid_client", "give client_id and client_secret by HTTP Basic or in the form")
        return request["client_id"], request.get("client_secret")
    basic = parse_basic(authorization)
    if basic is None:
        raise _Refusal("invalid_client", "the Authorization header must be Basic, base64 of client_id:client_secret")
    if "client_secret" in request or request.get("client_id", basic[0]) != basic[0]:
        raise _Refusal("invalid_request", "give the client's credentials once: in the Authorization header or the form")
    return basic


def _granted(request: Mapping[str, str], client: Client) -> tuple[str, ...]:
    """The scope asked for; all that the client may have if it names none (RFC 6749, 3.3)."""
    asked = scopes.words(request.get("scope", ""))
    if asked is None:
        raise _Refusal("invalid_scope", "scope must be words with single spaces between them")
    beyond = [word for word in asked if word not in client.scope]
    if beyond:
        raise _Refusal("invalid_scope", f"{beyond[0]} is not granted to this client")
    return asked or client.scope


def _refuse(refusal: _Refusal) -> TokenAnswer:
    body = {"error": refusal.error, "error_description": refusal.description}
    if refusal.error == "invalid_client":
        return _answer(401, body, _CHALLENGE)
    return _answer(400, body)


def _answer(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> TokenAnswer:
    return TokenAnswer(status=status, headers={**_HEADERS, **(headers or {})}, body=msgspec.json.encode(body))
