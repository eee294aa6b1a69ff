"""A request that is to be answered with one status, before it is known who makes it and where."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote

from hanse.kit.contract.declare import Api, Operation
from tests.contract.mp1_host import Reply


@dataclass(frozen=True)
class Wish:
    """One call of an operation: values of its path, query, a body (a JSON value, or bytes), headers.

    ``who`` makes it: ``owner`` has all it needs in the headers or in its certificate; ``nobody`` shows nothing;
    ``stranger`` is known and may not; ``greedy`` has called too often. ``method`` is another than the operation's.
    """

    api: type[Api]
    operation: Operation
    values: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    who: str = "owner"
    method: str = ""
    base: str = ""

    @property
    def target(self) -> str:
        """Path and query."""
        path = (self.base or self.api.api_bases[0]) + self.operation.path
        for name, value in self.values.items():
            path = path.replace("{" + name + "}", quote(value, safe=""))
        return path + ("?" + self.query if self.query else "")

    @property
    def content(self) -> bytes | AsyncIterator[bytes] | None:
        """The body as it goes on the wire; a function makes one that comes in pieces."""
        if callable(self.body):
            pieces: AsyncIterator[bytes] = self.body()
            return pieces
        return self.body if self.body is None or isinstance(self.body, bytes) else json.dumps(self.body).encode()

    def sent_headers(self) -> dict[str, str]:
        """The headers, with the media type that the operation takes where none is given."""
        headers = dict(self.headers)
        if self.body is not None:
            headers.setdefault("content-type", self.operation.consumes.split()[0])
        return headers

    def by(self, who: str) -> Wish:
        """The same, made by another."""
        return replace(self, who=who)

    def with_headers(self, **headers: str) -> Wish:
        """The same, with more headers; ``_`` in a name is a hyphen."""
        return replace(self, headers={**self.headers, **{n.replace("_", "-"): v for n, v in headers.items()}})

    def with_query(self, text: str) -> Wish:
        """The same, with more in its query."""
        return replace(self, query=f"{self.query}&{text}" if self.query else text)

    def with_value(self, name: str, value: str) -> Wish:
        """The same with another value in its path."""
        return replace(self, values={**self.values, name: value})


class Place(Protocol):
    """Where wishes are made: real elements, and everybody who may or may not call them."""

    async def example(self, api: type[Api], name: str) -> Wish:
        """A call that succeeds, of a resource that was made for it alone."""

    async def standing(self, api: type[Api], name: str) -> Wish:
        """The same call each time, for what is refused and therefore changes nothing."""

    async def ask(self, wish: Wish) -> Reply:
        """The answer; a body that is no JSON comes as bytes."""
