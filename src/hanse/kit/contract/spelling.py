"""Names of header fields as they are printed in the standards.

They mean the same in any case (RFC 9110, 5.1), and in here they are lower case, as ASGI has them. Clients that look for
`Content-Type` in a plain dictionary are many all the same, the test suite of ETSI GS MEC 032-3 among them.
"""

from __future__ import annotations

from typing import Final

_ODD: Final = {"etag": "ETag", "www-authenticate": "WWW-Authenticate"}
_COMMON: Final = (
    "access-control-allow-origin",
    "access-control-expose-headers",
    "allow",
    "cache-control",
    "content-length",
    "content-type",
    "etag",
    "hanse-problem",
    "link",
    "location",
    "retry-after",
    "vary",
    "www-authenticate",
)


def _printed(name: str) -> str:
    return _ODD.get(name) or name.title()


_BEGINNINGS: Final = {name.encode(): f"{_printed(name)}: ".encode() for name in _COMMON}


def beginning(name: bytes) -> bytes:
    """The beginning of the line of a field whose name is lower case: ``Content-Type: ``."""
    return _BEGINNINGS.get(name) or _printed(name.decode("latin-1")).encode("latin-1") + b": "
