"""A sequence diagram as one SVG file that needs nothing else: for documents, the portal and a browser."""

from __future__ import annotations

from itertools import accumulate
from xml.sax.saxutils import escape

from hanse.kit.telemetry.labels import shorten, shorten_path
from hanse.kit.telemetry.procedures import Procedure
from hanse.kit.telemetry.sequence import Arrow, Group, Sequence, sequence

EDGE = 24
TOP = 128
ROW = 52
NARROWEST = 132
LETTER = 6.6  # average width of a letter at 12 px; no font can be measured here, so it is on the large side
TINTS = ("#eef4fb", "#fdf3e7", "#eef7ef", "#f6f0fa")
INKS = ("#1f5fa8", "#b3611b", "#2f7d3b", "#7a4a9e")
RED = "#b3261e"

_STYLE = """
text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1c2430 }
.title { font-size: 16px; font-weight: 600 } .operator { font-size: 11px; font-weight: 600; letter-spacing: .08em }
.name { font-weight: 600; text-anchor: middle } .point { font-weight: 600 } .number { font-size: 10px; fill: #fff }
.path { font: 10.5px ui-monospace, "DejaVu Sans Mono", monospace; fill: #5b6675 } .why { font-size: 10.5px }
.path, .why { paint-order: stroke; stroke: #fff; stroke-width: 3px; stroke-opacity: .7 }
.middle { text-anchor: middle } .life { stroke: #b9c2ce; stroke-dasharray: 3 4 } .call { fill: none; stroke-width: 1.5 }
"""


def render(procedure: Procedure) -> str:
    """A whole SVG document; its size follows from the number of columns and calls."""
    shape = sequence(procedure)
    centres = _centres(shape)
    width = max(centres[-1] + _room_at_the_right(shape), 1.4 * LETTER * len(shape.title)) + 2 * EDGE
    height = TOP + ROW * len(shape.arrows) + 36
    ink = [INKS[i % len(INKS)] for i, g in enumerate(shape.groups) for _ in range(g.first, g.last + 1)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}" role="img">',
        f"<title>{escape(shape.title)}</title><style>{_STYLE}</style>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        _text(EDGE, 32, shape.title, "title"),
        *(_band(g, _borders(shape, centres, width), height, i) for i, g in enumerate(shape.groups)),
        *(
            _participant(p.name, x, height, ink[i])
            for i, (p, x) in enumerate(zip(shape.participants, centres, strict=True))
        ),
        *(_call(arrow, centres, ink[arrow.source]) for arrow in shape.arrows),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _label(arrow: Arrow) -> tuple[str, str]:
    """Two lines above an arrow: what was called, and how it went."""
    method = f"{arrow.method} " if arrow.method else ""
    return shorten(arrow.operation, 32), f"{method}{shorten_path(arrow.path, 34)} → {arrow.outcome} · {arrow.took}"


def _room(arrow: Arrow) -> float:
    """Pixels that the words of an arrow need, with its number and some air."""
    first, second = _label(arrow)
    return LETTER * max(len(arrow.reference_point) + len(first) + 2, len(second)) + 52


def _name_width(name: str) -> float:
    return LETTER * 1.1 * len(shorten(name, 32)) + 24


def _centres(shape: Sequence) -> list[float]:
    """Columns apart enough for their names and for every arrow's words, the gaps of an arrow widened evenly."""
    names = [_name_width(p.name) for p in shape.participants]
    borders = {g.last for g in shape.groups}
    gaps = [
        max(NARROWEST, (names[i] + names[i + 1]) / 2 + (2 * EDGE if i in borders else EDGE))
        for i in range(len(names) - 1)
    ]
    for arrow in sorted(shape.arrows, key=lambda a: abs(a.source - a.target)):
        low, high = sorted((arrow.source, arrow.target))
        span = range(low, min(max(high, low + 1), len(gaps)))  # a call on itself speaks into the gap at its right
        missing = _room(arrow) - sum(gaps[i] for i in span)
        for i in span:
            gaps[i] += max(0.0, missing / len(span))
    return list(accumulate(gaps, initial=2 * EDGE + names[0] / 2))


def _room_at_the_right(shape: Sequence) -> float:
    """Half of the last name, or the words of a call that the last participant makes on itself."""
    last = len(shape.participants) - 1
    half = _name_width(shape.participants[last].name) / 2
    return max([half, *(_room(a) for a in shape.arrows if a.source == a.target == last)])


def _borders(shape: Sequence, centres: list[float], width: float) -> list[float]:
    """Where the operators' grounds begin and end: half-way between the names on both sides."""
    halves = [_name_width(p.name) / 2 for p in shape.participants]
    inner = [
        (centres[g.last] + halves[g.last] + centres[g.last + 1] - halves[g.last + 1]) / 2 for g in shape.groups[:-1]
    ]
    return [EDGE - 4, *inner, width - EDGE + 4]


def _band(group: Group, borders: list[float], height: int, index: int) -> str:
    """The ground of an operator."""
    left, right = borders[index] + 4, borders[index + 1] - 4
    tint, ink = TINTS[index % len(TINTS)], INKS[index % len(INKS)]
    ground = f'<rect x="{left:.1f}" y="48" width="{right - left:.1f}" height="{height - 60}" rx="8" fill="{tint}"/>'
    return ground + _text(left + 12, 66, shorten(group.operator.upper(), 14), "operator", fill=ink)


def _participant(name: str, x: float, height: int, ink: str) -> str:
    width = _name_width(name)
    return (
        f'<line class="life" x1="{x:.1f}" y1="104" x2="{x:.1f}" y2="{height - 24}"/>'
        f'<rect x="{x - width / 2:.1f}" y="76" width="{width:.1f}" height="28" rx="6" fill="#fff" stroke="{ink}"/>'
        + _text(x, 94, shorten(name, 32), "name")
    )


def _call(arrow: Arrow, centres: list[float], ink: str) -> str:
    """One row: number, words, arrow; red where the call failed, with the reason below."""
    y = TOP + ROW * (arrow.number - 1) + 36
    start, end = centres[arrow.source], centres[arrow.target]
    colour = RED if arrow.failed else ink
    left = min(start, end) + 12
    first, second = _label(arrow)
    words = f'<tspan class="point" fill="{colour}">{escape(arrow.reference_point)}</tspan>  {escape(first)}'
    parts = [
        f'<text x="{left + 12:.1f}" y="{y - 20}">{words}</text>',
        _text(left + 12, y - 6, second, "path"),
        _line(start, end, y, colour),
        f'<circle cx="{start:.1f}" cy="{y}" r="9" fill="{colour}"/>',
        _text(start, y + 3.5, str(arrow.number), "number middle"),
    ]
    if arrow.failed and arrow.problem:
        room = abs(start - end) if arrow.source != arrow.target else _room(arrow)
        parts.append(_text(left + 12, y + 12, shorten(arrow.problem, int(room / 6) - 5), "why", fill=RED))
    return f"<g><title>{escape(_tip(arrow))}</title>{''.join(parts)}</g>"


def _line(start: float, end: float, y: float, colour: str) -> str:
    if start == end:
        path = f"M{start:.1f} {y} h22 v14 h-14"
        tip, turn = (start + 2, y + 14), 1
    else:
        turn = -1 if end > start else 1
        path = f"M{start:.1f} {y} H{end + turn * 8:.1f}"
        tip = (end + turn, y)
    head = f"M{tip[0]:.1f} {tip[1]} l{turn * 9} -4.5 v9 z"
    return f'<path class="call" stroke="{colour}" d="{path}"/><path fill="{colour}" d="{head}"/>'


def _tip(arrow: Arrow) -> str:
    """Everything unshortened, for the mouse."""
    call = f"{arrow.reference_point} {arrow.operation}: {arrow.request}"
    return f"{call} → {arrow.outcome}, {arrow.took} {arrow.problem}".strip()


def _text(x: float, y: float, text: str, kind: str, *, fill: str = "") -> str:
    style = f' style="fill:{fill}"' if fill else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y}"{style}>{escape(text)}</text>'
