"""Words on a diagram: short, printable and harmless, whoever chose them."""

from __future__ import annotations

import re

_UUID = re.compile(r"([0-9a-fA-F]{8})-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_LONG_HEX = re.compile(r"(?<![0-9a-fA-F])([0-9a-fA-F]{8})[0-9a-fA-F]{16,}(?![0-9a-fA-F])")


def clean(text: str) -> str:
    """Text without control characters, escape sequences and line ends; long identifiers keep their first 8 digits."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return _LONG_HEX.sub(r"\1…", _UUID.sub(r"\1…", printable))


def shorten(text: str, width: int) -> str:
    """Text of at most ``width`` characters; what is left out shows as ``…``."""
    if len(text) <= width:
        return text
    return text[: max(0, width - 1)] + "…" if width > 0 else ""


def shorten_path(path: str, width: int) -> str:
    """A path of at most ``width`` characters; its end says more than its beginning."""
    if len(path) <= width:
        return path
    return "…" + path[len(path) - width + 1 :] if width > 1 else shorten(path, width)


def duration(seconds: float) -> str:
    """Three digits at most that matter: ``0.31 ms``, ``12.1 ms``, ``480 ms``, ``2.40 s``."""
    milliseconds = max(0.0, seconds) * 1000
    if milliseconds < 9.995:
        return f"{milliseconds:.2f} ms"
    if milliseconds < 99.95:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.2f} s"
