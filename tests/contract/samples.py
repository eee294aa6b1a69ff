"""A call of any operation, made from its declaration: the smallest arguments that are well-formed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from hanse.kit.contract.declare import Operation, Stream
from hanse.kit.contract.exchange import Exchange


def arguments_of(operation: Operation, path: Mapping[str, str]) -> dict[str, Any]:
    """Arguments for every parameter; those of the path from ``path``, or a name that nothing has."""
    arguments: dict[str, Any] = {name: path.get(name, "nothing-has-this-name") for name in operation.path_parameters}
    if operation.query is not None:
        arguments["query"] = _query(operation.query)
    if operation.body_parameter is not None:
        arguments[operation.body_parameter] = _body(operation)
    return arguments


def _query(shape: type[msgspec.Struct]) -> Any:
    """The smallest query; a list that must be there has a value, or it would not be written at all."""
    plain = _plain(inspect.type_info(shape))
    return msgspec.convert({name: ["a"] if value == [] else value for name, value in plain.items()}, shape)


def _body(operation: Operation) -> Any:
    if operation.body is Stream:
        return Stream(_nothing(), operation.consumes, 0)
    if operation.body is Exchange:
        return Exchange("GET", "", {}, _nothing())
    return sample(operation.body)


async def _nothing() -> AsyncIterator[bytes]:
    parts: tuple[bytes, ...] = ()
    for part in parts:
        yield part


def sample(shape: Any) -> Any:
    """The smallest value of a type: required attributes only."""
    return msgspec.convert(_plain(inspect.type_info(shape)), shape)


def _plain(shape: inspect.Type) -> Any:
    if isinstance(shape, inspect.StructType):
        return {f.encode_name: _plain(f.type) for f in shape.fields if f.required}
    if isinstance(shape, inspect.UnionType):
        return _plain(shape.types[0])
    if isinstance(shape, inspect.EnumType):
        return next(iter(shape.cls)).value
    for kind, value in _PLAIN:
        if isinstance(shape, kind):
            return value
    raise TypeError(f"no sample of {shape}")


_PLAIN: tuple[tuple[type[inspect.Type] | tuple[type[inspect.Type], ...], Any], ...] = (
    (inspect.StrType, "a"),
    (inspect.BoolType, True),
    (inspect.IntType, 1),
    (inspect.FloatType, 1.0),
    (inspect.AnyType, None),
    (inspect.DictType, {}),
    ((inspect.ListType, inspect.VarTupleType), []),
)
