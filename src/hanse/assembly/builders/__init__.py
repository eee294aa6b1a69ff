"""Builders: how each kind of element is made from the settings, and what it is given. One module a role."""

from __future__ import annotations

from importlib import import_module

from hanse.assembly.builders.built import Built
from hanse.assembly.wiring import Wiring

__all__ = ["Built", "build"]


def build(wiring: Wiring) -> Built:
    """Make every chosen element; a process loads only what it needs for its own."""
    built = Built(wiring)
    for element in wiring.chosen:
        import_module(f"hanse.assembly.builders.{element.role}").build(built, element)
    wiring.starts += built.afterwards
    return built
