"""Trace context (W3C): whatever one request leads to carries one mark, to be shown as one procedure."""

from __future__ import annotations

import secrets
import threading

_here = threading.local()


def begin(header: str | None) -> None:
    """Begin to serve a request in this thread; its own trace is kept if it brings one."""
    parts = (header or "").split("-")
    usable = len(parts) == 4 and len(parts[1]) == 32 and parts[1].isalnum()
    _here.trace = parts[1] if usable else secrets.token_hex(16)


def header() -> str:
    """The ``traceparent`` of a request that this thread sends."""
    trace = getattr(_here, "trace", "") or secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-01"
