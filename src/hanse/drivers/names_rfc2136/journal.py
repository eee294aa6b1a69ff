"""What has been published outside, kept in a file, so that a restarted driver knows what is its own."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from hanse.kit.problems import Problem
from hanse.kit.values import Value
from hanse.refpoints.mp2 import NameRecord


class Published(Value):
    """Our records, and the names that may still carry records of ours outside."""

    records: list[NameRecord] = []
    names: list[str] = []


def load(path: Path) -> Published:
    """What the file says; nothing if there is none yet. 500 names a file that cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Published)
    except FileNotFoundError:
        return Published()
    except (OSError, msgspec.MsgspecError) as error:
        detail = f"{error}; take it away, and names that were published must be taken out by hand"
        raise Problem(500, f"{path} cannot be read", detail) from None


def save(path: Path, published: Published) -> None:
    """Replace the file as a whole, on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(msgspec.json.encode(published))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
