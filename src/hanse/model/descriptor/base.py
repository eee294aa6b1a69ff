"""What all parts of an application descriptor share."""

from __future__ import annotations

from hanse.kit.values import Value


class Part(Value, omit_defaults=True):
    """Base of the AppD and its parts: an empty list (0..N) is left out of the representation, and read as empty."""


class Violation(Value):
    """A rule that a descriptor breaks: the field's path, and what would be right there."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
