"""Who calls a sandbox: an app, by a static token of the seed, a token that the platform issued, or none at all."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256

from hanse.assembly.authentication import bearer
from hanse.assembly.sandbox.options import OPERATOR
from hanse.assembly.sandbox.seed import Seed, SeededApp
from hanse.elements.mep.access import Access
from hanse.kit.contract.asgi import Scope
from hanse.kit.contract.call import Caller
from hanse.kit.contract.cross_origin import ANY
from hanse.kit.problems import Problem, forbidden, unauthenticated


class SandboxAuthenticator:
    """Static tokens are compared by their digests: how long that takes tells nothing of them.

    For an anonymous app a web page speaks only if its origin is one of ``origins``: browsers send requests of any page
    to this machine, and say whose they are (RFC 6454, 7.3).
    """

    def __init__(self, access: Access, seed: Seed, origins: Collection[str] = ()) -> None:
        self._access = access
        self._static = {_digest(header(token)): _caller(app) for app in seed.apps for token in app.tokens}
        self._anonymous = {app.id: _caller(app) for app in seed.apps if app.anonymous}
        self._origins = frozenset(origins)
        schemes = {scheme_of(token) for app in seed.apps for token in app.tokens}
        self._basic = ', Basic realm="sandbox", charset="UTF-8"' if "basic" in schemes else ""

    def __call__(self, scope: Scope, headers: dict[bytes, bytes]) -> Caller:
        """The app that calls; a problem 401 if it shows nothing that holds."""
        shown = headers.get(b"authorization")
        if shown is None and self._anonymous:
            self._check_page(headers.get(b"origin"))
            return self._named(scope["path"])
        try:
            if not shown:
                raise unauthenticated("send Authorization with a token of the seed, or one of the token endpoint")
            caller = self._static.get(_digest(shown.decode("latin-1")))
            return caller or self._access.caller(bearer(shown))
        except Problem as problem:
            if self._basic and "WWW-Authenticate" in problem.headers:  # clients that wait for a challenge need theirs
                problem.headers["WWW-Authenticate"] += self._basic
            raise

    def _check_page(self, origin: bytes | None) -> None:
        if origin is None or not self._origins.isdisjoint((ANY, origin.decode("latin-1"))):
            return
        shown = origin[:200].decode("latin-1")
        raise forbidden("Origin not allowed", f"pages of {shown} may not speak for an anonymous app: --allow-origin")

    def _named(self, path: str) -> Caller:
        """Of the apps that need not say who they are, that whose id is in the path, or else the first."""
        first = next(iter(self._anonymous))
        return self._anonymous[next((part for part in path.split("/") if part in self._anonymous), first)]


def _caller(app: SeededApp) -> Caller:
    return Caller(role="app", name=f"app.{app.id[:8]}", operator=OPERATOR, subject=app.id)


def header(token: str) -> str:
    """A token as an Authorization header; one without a scheme is a bearer token."""
    return token if " " in token else f"Bearer {token}"


def scheme_of(token: str) -> str:
    """The scheme of a token of a seed, in lower case: ``basic``, ``bearer``."""
    return header(token).partition(" ")[0].lower()


def _digest(authorization: str) -> bytes:
    """Schemes are the same in any case (RFC 9110, 11.1), what follows is not."""
    scheme, _, rest = authorization.strip().partition(" ")
    return sha256(f"{scheme.lower()} {rest.strip()}".encode()).digest()
