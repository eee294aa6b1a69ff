"""What a border keeps."""

from __future__ import annotations

from hanse.kit.values import Value

NAMES_KEPT = 10_000
"""Pseudonyms that one partner can use, if nothing else is set."""


class Pseudonym(Value):
    """A name that a partner was told instead of ours; it is good for that partner and that agreement alone."""

    partner: str
    epoch: int
    host: str
    ser_instance_id: str
    ser_name: str
