"""A sequence diagram in Mermaid, for a page that draws it (a README, an issue, a wiki)."""

from __future__ import annotations

from hanse.kit.telemetry.procedures import Procedure
from hanse.kit.telemetry.sequence import Arrow, Group, Sequence, sequence

_PLAIN = frozenset(" _-./,()·→…")
_TINTS = ("rgb(232, 240, 250)", "rgb(251, 240, 228)", "rgb(233, 245, 234)", "rgb(243, 236, 248)")


def render(procedure: Procedure) -> str:
    """The text of a Mermaid ``sequenceDiagram``, one box an operator, failed calls with a cross."""
    shape = sequence(procedure)
    lines = ["sequenceDiagram", "    autonumber"]
    for i, group in enumerate(shape.groups):
        lines += _box(shape, group, _TINTS[i % len(_TINTS)])
    lines += [_call(arrow) for arrow in shape.arrows]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text in which nothing but letters, digits and a few marks stands for itself (Mermaid entity codes)."""
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in text)


def _box(shape: Sequence, group: Group, tint: str) -> list[str]:
    lines = [f"    box {tint} {escape(group.operator)}"]
    for column in range(group.first, group.last + 1):
        lines.append(f"        participant p{column} as {escape(shape.participants[column].name)}")
    return [*lines, "    end"]


def _call(arrow: Arrow) -> str:
    head = "-x" if arrow.failed else "->>"
    what = escape(f"{arrow.reference_point} {arrow.operation}")
    outcome = escape(f"→ {arrow.outcome}, {arrow.took}")
    why = f"<br/>{escape(arrow.problem)}" if arrow.failed and arrow.problem else ""
    return f"    p{arrow.source}{head}p{arrow.target}: {what}<br/>{escape(arrow.request)} {outcome}{why}"
