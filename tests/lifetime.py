"""Things under test that run for a whole module, and nothing left of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar


class Clearable(Protocol):
    """What ends all that it started."""

    def clear(self) -> None: ...


C = TypeVar("C", bound=Clearable)


@contextmanager
def lifetime(made: C, start: Callable[[C], Coroutine[Any, Any, object]]) -> Iterator[C]:
    """Started, on an event loop of its own, and cleared whatever happens, also when it does not start."""
    try:
        asyncio.run(start(made))
        yield made
    finally:
        made.clear()
