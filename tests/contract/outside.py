"""An authoritative name server from Debian, Knot, that a key may update: what `UpdatedNames` keeps up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import knot
from hanse.drivers.names_rfc2136 import Key

KEY = Key("hanse", "c2VjcmV0IG9mIHRoaXMgdGVzdCwgMzIgYnl0ZXMuLi4=")
_MAY = """
key:
  - id: hanse
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: updates
    key: hanse
    action: update
"""


@contextmanager
def outside(directory: Path, address: str, port: int, zone: str) -> Iterator[None]:
    """Knot, until left; the test is skipped where it is not installed."""
    if knot.installed() is None:
        pytest.skip("Knot is not installed (Debian: knot)")
    with knot.serving(directory, address, port, zone, _MAY.format(secret=KEY.secret), "    acl: updates\n"):
        yield
