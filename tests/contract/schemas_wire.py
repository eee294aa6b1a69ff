"""How generated requests go on the wire."""

from __future__ import annotations

import ssl
from typing import Any

import schemathesis
from requests.adapters import HTTPAdapter


class Trusting(HTTPAdapter):
    """Speaks TLS as we are told to."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **more)


@schemathesis.serializer("application/zip")
def archive(_context: schemathesis.SerializationContext, value: Any) -> Any:
    """Any bytes as an archive, which they are not."""
    return value if isinstance(value, bytes) else str(value).encode()
