"""The words in which an API is declared."""

from __future__ import annotations

import functools
import inspect
import operator
import re
import types
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import msgspec

from hanse.kit.contract.listing import Listing, Lists

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Created(msgspec.Struct, Generic[T], frozen=True):
    """201: a resource was made; ``location`` is its URI, absolute or below the API's base, ``tag`` its ETag if any."""

    value: T
    location: str
    tag: str = ""


class Accepted(msgspec.Struct, frozen=True):
    """202: work was begun; ``location`` is the resource that tells how it goes."""

    location: str = ""


class Tagged(msgspec.Struct, Generic[T], frozen=True):
    """200 with an ETag: ``tag`` changes whenever the representation does (RFC 9110, 8.8.3)."""

    value: T
    tag: str


class Page(msgspec.Struct, Generic[T], frozen=True):
    """200 with a part of a list; ``next`` is the query of the next part (ETSI GS MEC 009, 6.20) or empty."""

    items: list[T]
    next: str = ""


class Prepared(list[T]):
    """A list that was encoded when its items changed, not for this answer; it must not be changed itself.

    ``place``, of one whose order follows changes of its items: by what it is read in pages, fixed for each item.
    """

    def __init__(self, items: Iterable[T], json: bytes, place: Callable[[T], Any] | None = None) -> None:
        super().__init__(items)
        self.json = json
        self.place = place


class Stream(msgspec.Struct, frozen=True):
    """A body that is not held in memory: bytes in or out, with their media type and, if known, length.

    ``part`` gives the bytes from the first to the last, both included: with it, servers answer ranges. ``others`` are
    the same content in other media types, for who does not take this one; none is begun that is not answered.
    """

    chunks: AsyncIterator[bytes]
    media_type: str = "application/octet-stream"
    length: int | None = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    part: Callable[[int, int], AsyncIterator[bytes]] | None = None
    others: tuple[Stream, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One method of an API, bound to HTTP; shapes are read from the method's annotations when first used."""

    name: str
    method: str
    path: str
    success: int
    refuses: tuple[int, ...]
    consumes: str
    function: Callable[..., Awaitable[Any]]
    path_parameters: tuple[str, ...] = ()
    query: type[msgspec.Struct] | None = None
    body_parameter: str | None = None
    body: Any = None
    returns: Any = None
    annotations: dict[str, Any] = field(default_factory=dict)
    listing: Listing | None = None
    routine: bool = False
    """Said again and again by others than the operator's elements, too: they may ask for it not to be recorded."""
    largest: int = 0
    """Bytes of a JSON body, where more is taken than elsewhere."""

    @property
    def summary(self) -> str:
        """First line of the method's docstring."""
        return (inspect.getdoc(self.function) or self.name).splitlines()[0]


@dataclass(frozen=True)
class _Binding:
    method: str
    path: str
    success: int
    refuses: tuple[int, ...]
    consumes: str
    lists: Lists | None
    routine: bool
    largest: int


def _verb(method: str, default_success: int) -> Callable[..., Callable[[F], F]]:
    def bind(
        path: str,
        *,
        success: int = default_success,
        refuses: tuple[int, ...] = (400, 401, 403, 404),
        consumes: str = "application/json",
        lists: Lists | None = None,
        routine: bool = False,
        largest: int = 0,
    ) -> Callable[[F], F]:
        def mark(function: F) -> F:
            binding = _Binding(method, path, success, refuses, consumes, lists, routine, largest)
            function.__binding__ = binding  # type: ignore[attr-defined]
            return function

        return mark

    return bind


get = _verb("GET", 200)
post = _verb("POST", 201)
put = _verb("PUT", 200)
patch = _verb("PATCH", 200)
delete = _verb("DELETE", 204)
anything = _verb("*", 200)


class Api(Protocol):
    """Base of every API. A subclass that names ``bases`` declares one; any other subclass provides it.

    ``bases`` are the path prefixes under which it is served (several for several versions); the first is the one
    that clients use.
    """

    api_bases: ClassVar[tuple[str, ...]] = ()
    operations: ClassVar[dict[str, Operation]] = {}

    def __init_subclass__(cls, *, bases: tuple[str, ...] | None = None) -> None:
        super().__init_subclass__()
        if bases is not None:
            cls.api_bases = bases
            cls.operations = _read_operations(cls)


def apis_of(element: type) -> list[type[Api]]:
    """The APIs that an element class provides, in the order of its bases."""
    return [c for c in element.__mro__ if c.__dict__.get("operations")]


def _read_operations(api: type) -> dict[str, Operation]:
    operations = {}
    for name, function in api.__dict__.items():
        binding = getattr(function, "__binding__", None)
        if binding is not None:
            operations[name] = _operation(name, function, binding)
    return operations


def _operation(name: str, function: Callable[..., Awaitable[Any]], binding: _Binding) -> Operation:
    hints = typing.get_type_hints(function)
    in_path = tuple(re.findall(r"{(\w+)\*?}", binding.path))
    parameters = [p for p in inspect.signature(function).parameters if p != "self"]
    missing = [p for p in in_path if p not in parameters]
    if missing:
        raise TypeError(f"{name}: the path names {missing}, the method does not")
    bodies = [p for p in parameters if p not in in_path and p != "query"]
    if len(bodies) > 1:
        raise TypeError(f"{name}: {bodies} cannot all be the body; put the others into the path or a query struct")
    body_parameter = bodies[0] if bodies else None
    return Operation(
        name=name,
        method=binding.method,
        path=binding.path,
        success=binding.success,
        refuses=binding.refuses,
        consumes=binding.consumes,
        function=function,
        path_parameters=in_path,
        query=hints.get("query"),
        body_parameter=body_parameter,
        body=hints[body_parameter] if body_parameter else None,
        returns=hints.get("return"),
        annotations=hints,
        listing=_listing(hints.get("return"), binding.lists),
        routine=binding.routine,
        largest=binding.largest,
    )


def _listing(returns: Any, lists: Lists | None) -> Listing | None:
    if lists is None:
        return None
    (shape,) = typing.get_args(payload_type(returns))
    return Listing(shape, lists)


def payload_type(returns: Any) -> Any:
    """The type of the JSON body of an answer, or ``None`` where it has none (streams have none either)."""
    if returns in (None, type(None), Accepted, Stream):
        return None
    origin = typing.get_origin(returns)
    if origin in (Created, Tagged):
        return typing.get_args(returns)[0]
    if origin is Page:
        return types.GenericAlias(list, typing.get_args(returns))
    return _payload_or_none(returns) if kind_of(returns) in (Created, Tagged) else returns


@functools.cache  # descriptions tell types apart by their identity
def _payload_or_none(returns: Any) -> Any:
    return functools.reduce(operator.or_, (payload_type(member) or type(None) for member in typing.get_args(returns)))


def kind_of(returns: Any) -> Any:
    """What an answer is beside its body: ``Created``, ``Tagged`` or ``Page``, also where there may be none of it."""
    origin = typing.get_origin(returns)
    if origin not in (typing.Union, types.UnionType):
        return origin
    return next((kind for kind in map(kind_of, typing.get_args(returns)) if kind is not None), None)
