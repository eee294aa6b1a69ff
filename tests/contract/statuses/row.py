"""One row of the table: an operation, a status, how it is brought about, and what the answer must say then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, get_origin

import pytest
from jsonschema import Draft202012Validator

from hanse.kit.contract import body as bodies
from hanse.kit.contract.declare import Accepted, Api, Created, Operation, Stream, Tagged, kind_of
from hanse.kit.contract.describe import describe
from tests.contract.conformance import template
from tests.contract.mp1_host import Reply, refused
from tests.contract.statuses.wish import Place, Wish

Make = Callable[[Any], Awaitable[Wish]]
"""Makes a wish at a place."""
HEADERS = {401: "www-authenticate", 405: "allow", 416: "content-range", 429: "retry-after"}
"""What a refusal must carry (RFC 9110, 15.5; RFC 6585, 4)."""
EMPTY = (202, 204, 304)


@dataclass(frozen=True)
class Row:
    """``words`` are those that the problem must say, so that its reader knows which field or header is at fault."""

    api: type[Api]
    operation: Operation
    status: int
    how: str
    make: Make
    words: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The name of the test."""
        return f"{self.operation.name}-{self.status}-{self.how.replace(' ', '_')}"

    async def check(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ask, and hold the answer against the row; a server that waits for a body loses its patience soon."""
        if self.status == 408:
            monkeypatch.setattr(bodies, "BODY_PATIENCE", 0.2)
            monkeypatch.setattr(bodies, "STALL_PATIENCE", 0.2)
        reply = await place.ask(await self.make(place))
        if self.status >= 400:
            refused(reply, self.status, *self.words)
            assert HEADERS.get(self.status, "content-type") in reply.headers
        else:
            assert reply.status == self.status, reply
            self._check_success(reply)

    def _check_success(self, reply: Reply) -> None:
        returns = self.operation.returns
        if returns is Accepted or get_origin(returns) is Created:
            assert reply.headers["location"].startswith("https://")
        if kind_of(returns) is Tagged and self.status != 204:
            assert reply.headers["etag"].strip('"')
        if self.status in EMPTY:
            assert reply.body in (None, b"")
        elif returns is not Stream:
            assert reply.headers["content-type"] == "application/json"
            check_body(self.api, self.operation, self.status, reply.body)


def row(api: type[Api], name: str, status: int, how: str, make: Make, *words: str) -> Row:
    """A row of an operation by its name."""
    return Row(api, api.operations[name], status, how, make, words)


def as_declared(api: type[Api], name: str) -> Make:
    """The example of the operation, as it is."""

    async def make(place: Place) -> Wish:
        return await place.example(api, name)

    return make


def declared_rows(api: type[Api], names: Collection[str]) -> list[Row]:
    """Rows in which operations of these names succeed as they are declared to."""
    return [
        row(api, operation.name, operation.success, "as declared", as_declared(api, operation.name))
        for operation in api.operations.values()
        if operation.name in names
    ]


def taken(apis: Iterable[type[Api]]) -> dict[str, set[str]]:
    """The methods that each whole path has."""
    found: dict[str, set[str]] = {}
    for api in apis:
        for operation in api.operations.values():
            found.setdefault(api.api_bases[0] + operation.path, set()).add(operation.method)
    return found


def check_body(api: type[Api], operation: Operation, status: int, body: Any) -> None:
    """The body is what our own description of the operation says."""
    document = _described(api)
    path = template(operation.path)
    answer = document["paths"][path][operation.method.lower()]["responses"][str(status)]
    schema = answer["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": document["components"]}).validate(body)


@cache
def _described(api: type[Api]) -> dict[str, Any]:
    return describe(api)
