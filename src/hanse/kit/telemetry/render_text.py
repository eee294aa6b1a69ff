"""A sequence diagram for a terminal: lifelines on the left, what each arrow says on the right."""

from __future__ import annotations

from hanse.kit.telemetry.labels import shorten, shorten_path
from hanse.kit.telemetry.procedures import Procedure
from hanse.kit.telemetry.sequence import Arrow, Group, Participant, Sequence, sequence

NARROWEST = 6
"""Characters of the narrowest column in which an arrow is still an arrow."""

WORDS = 38
"""Characters that the words of an arrow need at least."""

WIDEST_NAME = 40
SMALLEST_PAGE = 50


def render(procedure: Procedure, width: int = 100) -> str:
    """The diagram in lines of at most ``width`` characters (50 at least); a list if the columns do not fit."""
    width = max(width, SMALLEST_PAGE)
    shape = sequence(procedure)
    margin = max(4, len(str(len(shape.arrows))) + 1)
    widths = _column_widths(shape.participants, width - margin - WORDS)
    lines = [shorten(shape.title, width), ""]
    if widths is None:
        lines += _list(shape, margin, width)
    else:
        lines += _diagram(shape, widths, margin, width)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _column_widths(participants: list[Participant], available: int) -> list[int] | None:
    """As wide as the names, the widest cut until all fit; ``None`` if they never do."""
    if len(participants) * NARROWEST > available:
        return None
    widths = [max(NARROWEST, *(min(len(part), WIDEST_NAME) + 2 for part in _name_lines(p.name))) for p in participants]
    while sum(widths) > available:
        widths[widths.index(max(widths))] -= 1
    return widths


def _diagram(shape: Sequence, widths: list[int], margin: int, width: int) -> list[str]:
    """``margin`` characters are left for the numbers."""
    blank = " " * margin
    centres = [sum(widths[:i]) + widths[i] // 2 for i in range(len(widths))]
    names = [_name_lines(p.name) for p in shape.participants]
    lines = [blank + "".join(_group(g, sum(widths[g.first : g.last + 1])) for g in shape.groups)]
    for row in (0, 1) if any(upper for upper, _ in names) else (1,):
        lines.append(blank + "".join(_centred(name[row], w) for name, w in zip(names, widths, strict=True)))
    rail = _row(centres, sum(widths))
    lines.append(blank + rail)
    words = _Words(shape.arrows, width - margin - sum(widths) - 1)
    for arrow in shape.arrows:
        drawn = _row(centres, sum(widths), arrow)
        lines.append(f"{arrow.number:>{margin - 1}} {drawn} {words.of(arrow)}")
        lines += [f"{blank}{rail} {problem}" for problem in words.problem(arrow)]
    return lines


def _name_lines(name: str) -> tuple[str, str]:
    """``mep.harbour`` and ``federation_manager`` on two lines, a short name on the lower one."""
    kind, dot, which = name.partition(".")
    if dot:
        return kind, which
    first, underscore, rest = name.partition("_")
    return (first, rest) if underscore and len(name) > 10 else ("", name)


def _centred(name: str, width: int) -> str:
    """The name with its middle on the lifeline."""
    name = shorten(name, width - 1)
    return (" " * (width // 2 - len(name) // 2) + name).ljust(width)


def _group(group: Group, width: int) -> str:
    name = shorten(group.operator, max(1, width - 6))
    return f"╭ {name} ".ljust(width - 2, "─") + "╮ "


def _row(centres: list[int], width: int, arrow: Arrow | None = None) -> str:
    cells = [" "] * width
    for centre in centres:
        cells[centre] = "│"
    if arrow is not None:
        _draw(cells, centres[arrow.source], centres[arrow.target])
    return "".join(cells)


def _draw(cells: list[str], source: int, target: int) -> None:
    if source == target:
        cells[source : source + 3] = "├─↺"
        return
    for i in range(min(source, target) + 1, max(source, target)):
        cells[i] = "─" if cells[i] == " " else "┼"
    cells[source] = "├" if source < target else "┤"
    cells[target + (-1 if source < target else 1)] = "▶" if source < target else "◀"


def _list(shape: Sequence, margin: int, width: int) -> list[str]:
    lines = []
    words = _Words(shape.arrows, width - margin)
    for arrow in shape.arrows:
        source, target = (_address(shape.participants[i]) for i in (arrow.source, arrow.target))
        lines.append(f"{arrow.number:>{margin - 1}} {shorten(f'{source} → {target}', width - margin)}")
        lines += [f"{'':{margin}}{line}" for line in (words.of(arrow), *words.problem(arrow))]
    return lines


def _address(participant: Participant) -> str:
    return f"{participant.operator}/{participant.name}"


class _Words:
    """The words beside the arrows, in columns of their own, within ``width`` characters."""

    def __init__(self, arrows: list[Arrow], width: int) -> None:
        self._point = min(10, max(len(a.reference_point) for a in arrows))
        self._took = max(len(a.took) for a in arrows)
        self._width = width
        left = width - self._point - len(" 200 ") - self._took - 2
        self._operation = min(left, 28, max(len(a.operation) for a in arrows))
        longest = max(len(a.request) for a in arrows)
        self._request = min(longest, left - self._operation - 2) if left - self._operation >= 14 else 0

    def of(self, arrow: Arrow) -> str:
        """Reference point, operation, request, status and time of a call."""
        words = f"{shorten(arrow.reference_point, self._point):{self._point}} "
        words += f"{shorten(arrow.operation, self._operation):{self._operation}}"
        if self._request:
            path = shorten_path(arrow.path, self._request - len(arrow.method) - 1)
            words += f"  {f'{arrow.method} {path}':{self._request}}"
        return f"{words} {arrow.status or '-':>4} {arrow.took:>{self._took}}"

    def problem(self, arrow: Arrow) -> list[str]:
        """A line that says why a call was refused, if it was."""
        if not (arrow.failed and arrow.problem):
            return []
        return [" " * (self._point + 1) + shorten(f"✗ {arrow.problem}", self._width - self._point - 1)]
