"""How long a test waits for what must happen: so long that a busy machine never fails it, only a fault does.

A bound that is itself the promise ("within 5 s") stands in its test by name; for what must *not* happen a test waits as
briefly as would show it.
"""

from __future__ import annotations

SOON = 20.0
"""Seconds. Shorter than the product's own patience with who is silent (30 s), which must not be what ends a wait."""
