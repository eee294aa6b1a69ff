"""Finding the operation that a method and path name."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from hanse.kit.contract.declare import Api, Operation
from hanse.kit.contract.gate import Gate
from hanse.kit.problems import Problem, bad_request

_ESCAPE_BROKEN: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

PASSED_ON = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""Methods that an operation which passes any request on says that it takes; it takes those of others' making, too."""
_NEVER_PASSED: Final = frozenset(("CONNECT", "TRACE"))
"""Methods that make a tunnel of a connection, or tell what is added on the way: they concern no resource."""


class NoSuchMethod(Problem):
    """405: the path is served, the method is not; ``allowed`` are those that are, OPTIONS excepted."""

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(405, f"Method {method} not supported", f"allowed here: {allowed}", {"Allow": allowed})
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Route:
    """An operation as it is served: by which function, behind which gate, below which base."""

    api: type[Api]
    operation: Operation
    function: Callable[..., Awaitable[Any]]
    gate: Gate
    base: str


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    rest: dict[str, Route] | None = None
    methods: dict[str, Route] = field(default_factory=dict)


class Router:
    """A tree of path segments; literals win over parameters, ``{name*}`` takes all that is left."""

    def __init__(self) -> None:
        self._root = _Node()
        self._literal: dict[str, dict[str, Route]] = {}
        self.routes: list[Route] = []

    def add(self, route: Route) -> None:
        """Serve one more route; the same method and path twice is an error of ours."""
        node, path = self._root, route.base + route.operation.path
        segments = _segments(path)
        for segment in segments:
            if segment.endswith("*}"):
                node.rest = node.rest or {}
                _put(node.rest, route)
                self.routes.append(route)
                return
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literal.setdefault(segment, _Node())
        _put(node.methods, route)
        if "{" not in path:
            self._literal[f"/{'/'.join(segments)}"] = node.methods
        self.routes.append(route)

    def find(self, method: str, path: str) -> tuple[Route, list[str]]:
        """The route and the values of its path parameters; problems 404, and 405 with ``Allow``.

        HEAD leads where GET does (RFC 9110, 9.3.2).
        """
        values: list[str] = []
        methods = self._literal.get(path) or self._walk(path, values)
        if not methods:
            raise Problem(404, "No such resource", f"nothing is served at {path[:200]}")
        route = methods.get(method) or (methods.get("*") if method not in _NEVER_PASSED else None)
        if route is None and method == "HEAD":
            route = methods.get("GET")
        if route is None:
            allowed = ", ".join(sorted(PASSED_ON if "*" in methods else with_head(methods)))
            raise NoSuchMethod(method, allowed)
        return route, values

    def _walk(self, path: str, values: list[str]) -> dict[str, Route] | None:
        node = self._root
        segments = path.lstrip("/").split("/")
        for position, segment in enumerate(segments):
            following = node.literal.get(segment)
            if following is None and "%" in segment and node.parameter is None and node.rest is None:
                following = node.literal.get(_text(segment))  # in any spelling it is the same (RFC 3986, 6.2.2.2)
            if following is None:
                if not segment and position == len(segments) - 1 and node.rest is None:
                    break  # a slash at the end means nothing
                if node.rest is not None:
                    values.append("/".join(segments[position:]))
                    return node.rest
                if node.parameter is None or not segment:
                    return None
                following = node.parameter
                values.append(_text(segment) if "%" in segment else segment)
            node = following
        if not node.methods and node.rest is not None:
            values.append("")
            return node.rest
        return node.methods


def with_head(methods: Iterable[str]) -> set[str]:
    """The methods that a path with these operations takes: HEAD, too, wherever there is GET (RFC 9110, 9.1)."""
    found = set(methods)
    return found | {"HEAD"} if "GET" in found else found


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _text(segment: str) -> str:
    """A path parameter without its percent-encoding; what no identifier can be is a problem 400."""
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise bad_request("Path is not UTF-8", "percent-encode the bytes of UTF-8 text") from None
    if _ESCAPE_BROKEN.search(segment) or _CONTROL.search(text):
        raise bad_request("Path is malformed", "write % as %25, and no control characters") from None
    return text


def _put(methods: dict[str, Route], route: Route) -> None:
    method = route.operation.method
    if method in methods:
        raise ValueError(f"{method} {route.base}{route.operation.path} is served twice")
    methods[method] = route
