"""How each status that every operation of a kind may give is brought about, from a call of it that would succeed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from hanse.kit.contract.declare import Api, Operation, Stream
from hanse.kit.contract.routing import with_head
from hanse.kit.contract.statuses import answers, has_json_body
from hanse.refpoints.mm1.lifecycle import Lifecycle
from tests.contract.statuses.row import Make, Row
from tests.contract.statuses.unreached import unreached
from tests.contract.statuses.wish import Place, Wish

Change = Callable[[Wish], Wish]


@dataclass(frozen=True)
class Fault:
    """What is done to a good call, to which operations, and what the problem names then."""

    status: int
    how: str
    change: Change
    words: tuple[str, ...] = ()
    fits: Callable[[Operation], bool] = lambda _: True


NO_KEY = "a key that there is not"
SELF = ("app_instance_id",)
"""Parameters that name the caller on Mp1; whoever gives another is refused before anything is looked up."""


def key_of(api: type[Api], operation: Operation) -> str:
    """The last parameter of the path, if it does not name the caller itself; else empty."""
    keys = [name for name in operation.path_parameters if name not in SELF or api is Lifecycle]
    return keys[-1] if keys else ""


def _unknown_version(wish: Wish) -> Wish:
    base = wish.api.api_bases[0]
    return replace(wish, base=base.rpartition("/")[0] + "/v9")


def _unknown_key(wish: Wish) -> Wish:
    """Another key in the path, and in the body where it must be the same."""
    key = key_of(wish.api, wish.operation)
    known, body = wish.values[key], wish.body
    if isinstance(body, dict):
        body = {name: "unknown" if value == known else value for name, value in body.items()}
    return replace(wish.with_value(key, "unknown"), body=body)


async def _half_a_body() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.sleep(30)


FAULTS: tuple[Fault, ...] = (
    Fault(400, "a query parameter that there is not", lambda w: w.with_query("no_such=1"), ("no_such",)),
    Fault(400, "a body that is no JSON", lambda w: replace(w, body=b"{"), ("JSON",), has_json_body),
    Fault(400, "no body", lambda w: replace(w, body=b""), ("Body missing",), has_json_body),
    Fault(400, "a query that is no UTF-8", lambda w: w.with_query("a=%ff"), ("UTF-8",)),
    Fault(401, "no credentials", lambda w: w.by("nobody"), ("Not authenticated",)),
    Fault(403, "another caller", lambda w: w.by("stranger")),
    Fault(404, "a version that there is not", _unknown_version, ("/v9/",)),
    Fault(
        404,
        NO_KEY,
        _unknown_key,
        ("unknown",),
        lambda o: bool(o.path_parameters),
    ),
    Fault(406, "no media type that is offered", lambda w: w.with_headers(accept="text/html"), ("Accept",)),
    Fault(
        408,
        "a body that does not end",
        lambda w: replace(w, body=_half_a_body),
        ("Body",),
        lambda o: o.body is not None,
    ),
    Fault(
        412,
        "a change made meanwhile",
        lambda w: w.with_headers(if_match='"another"'),
        ("If-Match",),
        lambda o: 412 in o.refuses,
    ),
    Fault(
        413,
        "a body too large",
        lambda w: w.with_headers(content_length=str(5 * 1024**3 if w.operation.body is Stream else 2 * 1024**2)),
        ("too large",),
        lambda o: o.body is not None,
    ),
    Fault(414, "a query without end", lambda w: w.with_query("a=" + "a" * 9000), ("URI",)),
    Fault(
        415,
        "a body of another media type",
        lambda w: w.with_headers(content_type="text/csv"),
        ("Content-Type",),
        lambda o: o.body is not None,
    ),
    Fault(429, "too many requests", lambda w: w.by("greedy"), ("come again",)),
)


def common_rows(api: type[Api], taken: Mapping[str, set[str]]) -> Iterator[Row]:
    """The rows of every operation of an API; ``taken`` has the methods of each whole path."""
    for operation in api.operations.values():
        for fault in _faults_of(api, operation):
            make = _faulty(api, operation.name, fault.change)
            yield Row(api, operation, fault.status, fault.how, make, fault.words)
        if 304 in answers(operation):
            yield Row(api, operation, 304, "not changed since", _unchanged(api, operation.name))
        methods = taken[api.api_bases[0] + operation.path]
        other = next(method for method in ("DELETE", "PATCH", "PUT", "POST") if method not in methods)
        make = _faulty(api, operation.name, _by_method(other))
        yield Row(api, operation, 405, "another method", make, (", ".join(sorted(with_head(methods))),))


def _faults_of(api: type[Api], operation: Operation) -> Iterator[Fault]:
    for fault in FAULTS:
        keyless = fault.how == NO_KEY and not key_of(api, operation)
        if keyless or unreached(api, operation, fault.status):
            continue
        if fault.status in answers(operation) and fault.fits(operation):
            yield fault


def _by_method(method: str) -> Change:
    return lambda wish: replace(wish, method=method)


def _faulty(api: type[Api], name: str, change: Change) -> Make:
    async def make(place: Place) -> Wish:
        return change(await place.standing(api, name))

    return make


def _unchanged(api: type[Api], name: str) -> Make:
    async def make(place: Place) -> Wish:
        wish = await place.standing(api, name)
        reply = await place.ask(wish)
        return wish.with_headers(if_none_match=reply.headers["etag"])

    return make
