"""What a benchmark found: figures of Hanse, figures of the floor, and how they compare."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any, Literal

from hanse.kit.values import Value

Tell = Callable[[str], None]
ROUNDS = 5


class Target(Value):
    """What a ratio must reach to pass."""

    bound: float
    kind: Literal["at least", "at most"]

    def reached(self, ratio: float) -> bool:
        """Whether a ratio is good enough."""
        return ratio >= self.bound if self.kind == "at least" else ratio <= self.bound


class Report(Value, rename=None):
    """One run. ``ratio`` holds a text where a ratio could not be measured: the reason."""

    bench: str
    figures: dict[str, Any]
    floor: dict[str, Any]
    ratio: dict[str, float | str]


def missed(report: Report, targets: dict[str, Target]) -> list[str]:
    """One line for each ratio that does not reach its target."""
    lines = []
    for name, target in targets.items():
        found = report.ratio.get(name)
        if not isinstance(found, float) or not target.reached(found):
            lines.append(f"ratio.{name} is {found}, must be {target.kind} {target.bound}")
    return lines


def spread(rounds: Sequence[float], digits: int = 3) -> dict[str, float]:
    """The median of some rounds with the least and the most."""
    ordered = sorted(rounds)
    return {
        "median": round(statistics.median(ordered), digits),
        "least": round(ordered[0], digits),
        "most": round(ordered[-1], digits),
    }


def ratio_of(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of one series by that of another."""
    return round(statistics.median(above) / statistics.median(below), 3)
