"""Statuses that no request can bring about here; each stands in `deviations.toml` with its reason."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hanse.kit.contract.declare import Api, Operation

ENTRIES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parents[1] / "deviations.toml").read_text())["unreached"]
UNREACHED: frozenset[tuple[str, str, int]] = frozenset(
    (entry["api"], operation, status)
    for entry in ENTRIES
    for operation in entry["operations"]
    for status in entry["statuses"]
)


def unreached(api: type[Api], operation: Operation, status: int) -> bool:
    """Whether the list says that an operation never answers with a status."""
    return (api.__name__, operation.name, status) in UNREACHED
