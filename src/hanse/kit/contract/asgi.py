"""What servers here speak with whoever listens: ASGI, and one addition of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers and body."""

AtOnce = Callable[[int, list[tuple[bytes, bytes]], bytes], bool]
ANSWER_AT_ONCE = "hanse.answer"
"""In the scope of our own listener: a function that writes a whole answer, or returns false if it must be sent."""
