"""Wiring within a process: the consumer gets the provider itself, behind the same guard and observer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from msgspec.structs import replace

from hanse.kit.contract.call import Caller, next_call
from hanse.kit.contract.declare import Api, Operation
from hanse.kit.contract.gate import Gate

A = TypeVar("A", bound=Api)


def direct(api: type[A], provider: A, gate: Gate, caller: Caller) -> A:
    """``provider`` as ``caller`` may see it: only the operations of ``api``, each through the gate."""
    methods = {
        name: _method(api, operation, getattr(provider, name), gate, caller)
        for name, operation in api.operations.items()
    }
    return cast(A, type(f"Direct{api.__name__}", (), methods)())


def _method(
    api: type[Api], operation: Operation, function: Callable[..., Awaitable[Any]], gate: Gate, caller: Caller
) -> Callable[..., Awaitable[Any]]:
    names = parameter_names(operation)

    async def method(_self: object, *values: Any, **named: Any) -> Any:
        arguments = dict(zip(names, values, strict=False)) | named
        path = api.api_bases[0] + filled(operation.path, arguments)
        call = next_call(caller)
        if not caller.trusted:
            call = replace(call, tenant=caller.subject)  # as a server would see it
        return await gate.run(api, operation, function, arguments, call, path)

    method.__name__ = operation.name
    return method


def parameter_names(operation: Operation) -> tuple[str, ...]:
    """The parameters of a method in the order in which it declares them."""
    return tuple(name for name in operation.annotations if name != "return")


def filled(path: str, arguments: dict[str, Any]) -> str:
    """A path template with its parameters in place."""
    for name, value in arguments.items():
        if "{" + name in path:
            path = path.replace("{" + name + "}", str(value)).replace("{" + name + "*}", str(value))
    return path
