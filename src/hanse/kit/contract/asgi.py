"""What servers here speak with whoever listens: ASGI, and one addition of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers and body."""


class AtOnce(Protocol):
    """Writes a whole answer, or returns false if it must be sent; ``gone``: whether nobody is there to read it."""

    def gone(self) -> bool: ...

    def __call__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes, /) -> bool: ...


ANSWER_AT_ONCE = "hanse.answer"
"""In the scope of our own listener: an ``AtOnce``."""
SHOWN = "hanse.shown"
"""In the scope of our own listener, until it was called on this connection: to be called once its client is known."""
