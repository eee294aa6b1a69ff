"""What a sandbox tells of itself: an OpenAPI document for each base that it serves, and an index of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hanse.kit.contract.answer import problem_answer
from hanse.kit.contract.asgi import Receive, Scope, Send
from hanse.kit.contract.declare import Api
from hanse.kit.contract.describe import describe
from hanse.kit.problems import Problem
from hanse.kit.values import Value

DESCRIPTION = "openapi.json"


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


def document(apis: Sequence[type[Api]], url: str, token_endpoint: str) -> dict[str, Any]:
    """One OpenAPI document of all APIs below one base."""
    parts = [describe(api) for api in apis]
    whole = parts[0]
    for part in parts[1:]:
        for path, item in part["paths"].items():
            whole["paths"].setdefault(path, {}).update(item)
        whole["components"]["schemas"] |= part["components"]["schemas"]
    whole["info"]["title"] = ", ".join(part["info"]["title"] for part in parts)
    whole["info"]["description"] = " ".join(part["info"]["description"] for part in parts)
    whole["servers"] = [{"url": url}]
    whole["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["tokenUrl"] = token_endpoint
    return whole


class Page:
    """A document at one path, read by anyone: it holds nothing that is anybody's."""

    def __init__(self, content: object) -> None:
        self._body = msgspec.json.encode(content)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer GET, as ASGI has it."""
        if scope["method"] in ("GET", "HEAD"):
            body = self._body
            length = (b"content-length", str(len(body)).encode())
            status, headers = 200, [(b"content-type", b"application/json"), length]
        else:
            title, allowed = f"Method {scope['method']} not supported", "GET, HEAD"
            status, headers, body = problem_answer(Problem(405, title, f"allowed here: {allowed}", {"Allow": allowed}))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
