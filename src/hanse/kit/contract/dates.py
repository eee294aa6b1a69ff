"""The date of answers: whoever has a clock says in each when it was made (RFC 9110, 6.6.1)."""

from __future__ import annotations

import time
from email.utils import formatdate

_latest = (0, b"")


def today() -> bytes:
    """Now as a `Date` field has it (RFC 9110, 5.6.7), written once a second."""
    global _latest
    second, text = _latest
    now = int(time.time())
    if now != second:
        text = formatdate(now, usegmt=True).encode()
        _latest = (now, text)
    return text
