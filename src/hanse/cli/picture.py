"""The architecture as an SVG: two operators, drawn from the table of reference points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hanse.kit.contract.reference import ReferencePoint

WIDTH, HEIGHT = 1660, 720
PLACES = {
    "customer": (120, 110, "customers", "hanse, portal"),
    "oss": (120, 220, "OSS", ""),
    "federation_manager": (580, 150, "federation manager", ""),
    "meo": (350, 265, "orchestrator", "MEO"),
    "vim": (120, 400, "VIM", ""),
    "mepm": (350, 400, "platform manager", "MEPM"),
    "mep": (580, 400, "platform", "MEP"),
    "driver": (120, 535, "compute driver", "process"),
    "app": (335, 535, "application", ""),
    "data_plane": (505, 535, "data plane", "user space"),
    "names": (640, 535, "names", "DNS"),
    "device": (580, 655, "device", ""),
}
"""Where each role stands at the left operator (middle of its box), its name and what it is made of."""
ALSO = {"administrator": "customer"}
"""Roles that stand where another one is drawn."""
BORDER_X = 740
SIZE = {
    "federation_manager": (188, 52),
    "app": (130, 52),
    "data_plane": (118, 52),
    "names": (100, 52),
    "device": (104, 42),
}
INK, FAINT, ACCENT, PANEL, BOX = "#1d2b3a", "#6b7c8d", "#b4552d", "#f3f6f9", "#ffffff"
STYLE = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',sans-serif;text-anchor:middle}"
    f".n{{font-size:15px;font-weight:600;fill:{INK}}}.s{{font-size:12px;fill:{FAINT}}}"
    f".e{{font-size:12.5px;fill:{INK};paint-order:stroke;stroke:{PANEL};stroke-width:5px}}"
    f".x{{font-size:14px;font-weight:700;fill:{ACCENT};paint-order:stroke;stroke:#fff;stroke-width:5px}}"
    f".t{{font-size:12px;fill:{FAINT};paint-order:stroke;stroke:{PANEL};stroke-width:5px}}"
    f"line,path{{stroke:{FAINT};stroke-width:1.5;fill:none}}"
    f".c{{stroke:{ACCENT};stroke-width:2.5}}.d{{stroke-dasharray:5 5}}"
    f"rect{{fill:{BOX};stroke:{INK};stroke-width:1.3}}.p{{fill:{PANEL};stroke:none}}"
    f".b{{fill:{ACCENT};stroke:none}}.h{{font-size:21px;font-weight:700;fill:{INK}}}"
)


def picture(points: Sequence[ReferencePoint]) -> str:
    """The SVG, complete in itself."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="Two MEC systems, each with its elements and reference points, joined at their borders">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="14" style="fill:#fff;stroke:none"/>',
    ]
    for name, mirrored in (("north", False), ("south", True)):
        parts += _operator(points, name, mirrored)
    parts += _between(points)
    return "\n".join([*parts, "</svg>"]) + "\n"


def ways(points: Sequence[ReferencePoint]) -> Iterator[tuple[str, str, str]]:
    """Each pair of roles that a reference point joins, once: its name, provider, first user."""
    seen = set()
    for point in points:
        for offer in point.offers:
            user = ALSO.get(offer.users[0], offer.users[0])
            key = (point.name, frozenset((offer.provider, user)))
            if key not in seen:
                seen.add(key)
                yield point.name, offer.provider, user


def _operator(points: Sequence[ReferencePoint], name: str, mirrored: bool) -> list[str]:
    left = _x(704, mirrored) if mirrored else 20
    parts = [f'<rect class="p" x="{left}" y="20" width="684" height="680" rx="14"/>']
    parts.append(_text("h", _x(362, mirrored), 62, name))
    inside = [way for way in ways(points) if "partner" not in way[1:]]
    for point, provider, user in inside:
        parts += _edge(point, provider, user, mirrored)
    for label, one, other in (
        ("Mm7", "vim", "driver"),
        ("runs", "driver", "app"),
        ("traffic", "app", "data_plane"),
        ("traffic", "data_plane", "device"),
        ("DNS", "names", "device"),
    ):
        parts += _edge(label, one, other, mirrored, plain=label != "Mm7")
    parts += [box for role in PLACES for box in _box(role, mirrored)]
    x = _x(BORDER_X, mirrored)
    parts.append(f'<rect class="b" x="{x - 16}" y="110" width="32" height="340" rx="8"/>')
    parts.append(f'<text class="n" style="fill:#fff" transform="translate({x + 5} 320) rotate(-90)">border</text>')
    return parts


def _between(points: Sequence[ReferencePoint]) -> list[str]:
    """What crosses from one operator to the other: whatever a partner may use."""
    inner = {point: provider for point, provider, user in ways(points) if user == "border"}
    parts = []
    for point, _, user in ways(points):
        if user == "partner":
            y = PLACES[inner[point]][1]
            parts.append(f'<line class="c" x1="{BORDER_X + 16}" y1="{y}" x2="{WIDTH - BORDER_X - 16}" y2="{y}"/>')
            parts.append(_text("x", WIDTH // 2, y - 9, point))
    middle = WIDTH // 2
    for row, words in enumerate(("TLS 1.3,", "both", "certificates,", "bound tokens")):
        parts.append(_text("s", middle, 480 + 17 * row, words))
    return parts


def _edge(label: str, one: str, other: str, mirrored: bool, *, plain: bool = False) -> list[str]:
    if one == other:
        return _loop(label, one, mirrored)
    (x1, y1), (x2, y2) = _end(one, other), _end(other, one)
    x1, x2 = _x(x1, mirrored), _x(x2, mirrored)
    name = _text("t" if plain else "e", (x1 + x2) // 2, (y1 + y2) // 2 + (-6 if y1 == y2 else 4), label)
    crossing = "border" in (one, other)
    kind = ' class="d"' if plain else ' class="c"' if crossing else ""
    line = f'<line{kind} x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'
    return [line] if crossing else [line, name]


def _loop(label: str, role: str, mirrored: bool) -> list[str]:
    """From an element to another one of its kind, at another host."""
    x, y = PLACES[role][:2]
    x = _x(x, mirrored)
    path = f'<path d="M{x - 45} {y} C{x - 45} {y - 75} {x + 45} {y - 75} {x + 45} {y}"/>'
    return [path, _text("e", x, y - 52, label)]


def _end(role: str, towards: str) -> tuple[int, int]:
    """The middle of a role's box; the border is a wall, met at the height of the other."""
    if role == "border":
        return BORDER_X, PLACES[towards][1]
    return PLACES[role][:2]


def _box(role: str, mirrored: bool) -> list[str]:
    x, y, name, made_of = PLACES[role]
    width, height = SIZE.get(role, (168, 52))
    x = _x(x, mirrored)
    parts = [f'<rect x="{x - width // 2}" y="{y - height // 2}" width="{width}" height="{height}" rx="8"/>']
    parts.append(_text("n", x, y - 2 if made_of else y + 5, name))
    if made_of:
        parts.append(_text("s", x, y + 16, made_of))
    return parts


def _text(kind: str, x: int, y: int, words: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{words}</text>'


def _x(x: int, mirrored: bool) -> int:
    return WIDTH - x if mirrored else x
