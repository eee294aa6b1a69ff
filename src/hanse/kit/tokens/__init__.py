"""Access tokens: issued to OAuth 2.0 clients, bound to certificates, verified once and remembered, revoked at once."""

from hanse.kit.tokens.claims import Claims
from hanse.kit.tokens.clients import Client, Credentials, hash_secret, new_secret
from hanse.kit.tokens.endpoint import TokenAnswer, token_endpoint
from hanse.kit.tokens.form import parse_basic
from hanse.kit.tokens.issuer import IssuedToken, TokenIssuer
from hanse.kit.tokens.revocations import Revocations, RevocationsSnapshot
from hanse.kit.tokens.verifier import TokenVerifier

__all__ = [
    "Claims",
    "Client",
    "Credentials",
    "IssuedToken",
    "Revocations",
    "RevocationsSnapshot",
    "TokenAnswer",
    "TokenIssuer",
    "TokenVerifier",
    "hash_secret",
    "new_secret",
    "parse_basic",
    "token_endpoint",
]
