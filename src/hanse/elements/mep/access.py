"""Access: the credentials and tokens of apps, each scoped to its own instance (ETSI GS MEC 011 V3.1.1, 5.2.2)."""

from __future__ import annotations

import hmac
from hashlib import sha256

from hanse.elements.mep.records import Records
from hanse.kit.contract.call import Caller
from hanse.kit.problems import unauthorized
from hanse.kit.tokens import Client, Credentials, TokenAnswer, TokenIssuer, TokenVerifier, hash_secret, token_endpoint
from hanse.refpoints.mm5.platform import AppAccess

TOKEN_LIFETIME = 300.0
"""Seconds that an app's token lives."""


class Access:
    """Knows apps by secrets that are derived, not stored: the same instance always gets the same one."""

    def __init__(
        self, url: str, operator: str, records: Records, issuer: TokenIssuer, seed: bytes, authority: str
    ) -> None:
        self._url = url
        self._operator = operator
        self._records = records
        self._issuer = issuer
        self._seed = seed
        self._authority = authority
        self._credentials = Credentials()
        self._callers: dict[str, Caller] = {}
        self._verifier = TokenVerifier(issuer.public_keys, issuer=url, audience=url)
        for app in records.apps.values():
            self.grant(app.app_instance_id)

    def grant(self, app_instance_id: str) -> AppAccess:
        """Let an app get tokens; what it needs for that."""
        secret = hmac.new(self._seed, app_instance_id.encode(), sha256).hexdigest()
        self._credentials.add(
            Client(
                client_id=app_instance_id,
                audience=(self._url,),
                secret_hash=hash_secret(secret),
                token_lifetime=TOKEN_LIFETIME,
            )
        )
        return AppAccess(
            platform_url=self._url,
            token_url=f"{self._url}/oauth2/token",
            client_id=app_instance_id,
            client_secret=secret,
            authority=self._authority,
        )

    def withdraw(self, app_instance_id: str) -> None:
        """Refuse an app's tokens from now on, and give it no more."""
        self._credentials.remove(app_instance_id)
        self._callers.pop(app_instance_id, None)
        self._verifier.revoke_subject(app_instance_id)

    def token(self, form: bytes, authorization: str | None) -> TokenAnswer:
        """The token endpoint (RFC 6749, 4.4)."""
        return token_endpoint(form, authorization, credentials=self._credentials, issuer=self._issuer)

    def caller(self, token: str) -> Caller:
        """The app that shows this token; a problem 401 if it is not good or the app is gone."""
        claims = self._verifier.verify(token)
        if claims.subject not in self._records.apps:
            raise unauthorized("the application instance of this token is gone")
        return self._callers.get(claims.subject) or self._met(claims.subject)

    def _met(self, app_instance_id: str) -> Caller:
        caller = Caller(role="app", name=f"app.{app_instance_id[:8]}", operator=self._operator, subject=app_instance_id)
        self._callers[app_instance_id] = caller
        return caller

    def revoke(self, jti: str) -> None:
        """Refuse one token from now on."""
        self._verifier.revoke(jti)
