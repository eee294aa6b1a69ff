"""What a sandbox tells of itself: an OpenAPI document for each base that it serves, and an index of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from hanse.assembly.sandbox.seed import Seed
from hanse.assembly.sandbox.tokens import scheme_of
from hanse.kit.contract.answer import deliver, options_answer, problem_answer
from hanse.kit.contract.asgi import Answer, Receive, Scope, Send
from hanse.kit.contract.declare import Api
from hanse.kit.contract.describe import describe
from hanse.kit.contract.routing import NoSuchMethod
from hanse.kit.values import Value

DESCRIPTION = "openapi.json"
ALLOWED = "GET, HEAD"


class IndexEntry(Value):
    """One base: its URL, the APIs below it, and where they are described."""

    base: str
    apis: tuple[str, ...]
    description: str


class Index(Value):
    """Everything that a sandbox serves."""

    apis: tuple[IndexEntry, ...]
    token_endpoint: str


def by_base(apis: Sequence[type[Api]]) -> dict[str, list[type[Api]]]:
    """The APIs below each base: several may share one."""
    found: dict[str, list[type[Api]]] = {}
    for api in apis:
        for base in api.api_bases:
            found.setdefault(base, []).append(api)
    return found


@dataclass(frozen=True)
class Ways:
    """The ways to show who calls that a sandbox takes, as the `securitySchemes` of a description name them.

    ``open_to_all``: whoever shows nothing speaks for an anonymous app.
    """

    schemes: Mapping[str, Any]
    open_to_all: bool = False

    @classmethod
    def of(cls, seed: Seed, token_endpoint: str) -> Ways:
        """Client credentials always, and a scheme for the static tokens of each kind that the seed has."""
        told = dict.fromkeys(scheme_of(token) for app in seed.apps for token in app.tokens)
        flow = {"clientCredentials": {"tokenUrl": token_endpoint, "scopes": {}}}
        static = {scheme: _STATIC.get(scheme, _OTHER) for scheme in told}
        oauth2 = {"oauth2": {"type": "oauth2", "flows": flow, "description": "of the instance, as printed at start"}}
        return cls(oauth2 | static, any(app.anonymous for app in seed.apps))

    @property
    def security(self) -> list[dict[str, list[str]]]:
        """Any one of them will do."""
        shown: list[dict[str, list[str]]] = [{name: []} for name in self.schemes]
        return [*shown, {}] if self.open_to_all else shown


_SEEDED = "a token of the seed"
_STATIC = {scheme: {"type": "http", "scheme": scheme, "description": _SEEDED} for scheme in ("basic", "bearer")}
_OTHER = {"type": "apiKey", "in": "header", "name": "Authorization", "description": f"{_SEEDED}, with its scheme"}


def document(apis: Sequence[type[Api]], url: str, ways: Ways) -> dict[str, Any]:
    """One OpenAPI document of all APIs below one base; a client made of it needs nothing else but a token."""
    parts = [describe(api) for api in apis]
    whole = parts[0]
    for part in parts[1:]:
        for path, item in part["paths"].items():
            whole["paths"].setdefault(path, {}).update(item)
        whole["components"]["schemas"] |= part["components"]["schemas"]
        whole["tags"] += part["tags"]
    whole["info"]["title"] = ", ".join(part["info"]["title"] for part in parts)
    whole["info"]["description"] = " ".join(part["info"]["description"] for part in parts)
    whole["servers"] = [{"url": url}]
    whole["security"] = ways.security
    whole["components"]["securitySchemes"] = dict(ways.schemes)
    return whole


class Page:
    """A document at one path, read by anyone: it holds nothing that is anybody's."""

    def __init__(self, content: object) -> None:
        self._body = msgspec.json.encode(content)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer GET, as ASGI has it."""
        await deliver(self._answer(scope["method"]), scope, send)

    def _answer(self, method: str) -> Answer:
        if method in ("GET", "HEAD"):
            length = (b"content-length", str(len(self._body)).encode())
            return 200, [(b"content-type", b"application/json"), length], self._body
        return options_answer(ALLOWED) if method == "OPTIONS" else problem_answer(NoSuchMethod(method, ALLOWED))
