"""What a border keeps."""

from __future__ import annotations

from hanse.kit.values import Value


class Pseudonym(Value):
    """A name that a partner was told instead of ours; it is good for that partner and that agreement alone."""

    partner: str
    epoch: int
    host: str
    ser_instance_id: str
    ser_name: str
