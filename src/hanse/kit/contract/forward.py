"""Handing on: a provider of an API that passes every call to another, on behalf of a tenant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from hanse.kit.contract.call import continuing
from hanse.kit.contract.declare import Api

A = TypeVar("A", bound=Api)


def forwarding(api: type[A], target: A, tenant: Callable[[], str]) -> A:
    """A provider whose calls go to ``target`` for the tenant that ``tenant`` finds, or refuses with a problem."""
    methods = {name: _method(getattr(target, name), tenant) for name in api.operations}
    return cast(A, type(f"Forwarding{api.__name__}", (), methods)())


def _method(function: Callable[..., Awaitable[Any]], tenant: Callable[[], str]) -> Callable[..., Awaitable[Any]]:
    async def method(_self: object, *values: Any, **named: Any) -> Any:
        with continuing(tenant=tenant()):
            return await function(*values, **named)

    return method
