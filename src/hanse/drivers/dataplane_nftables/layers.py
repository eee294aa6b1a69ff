"""Which map a filter goes to: filters of one map never describe the same packet, maps are asked in order (pure).

A kernel map of ranges holds no two that overlap. So filters of one priority that do are put at different depths, in the
order in which they are to be asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from hanse.drivers.dataplane_nftables.boxes import Box, Shape
from hanse.drivers.dataplane_nftables.rules import Piece


class Layer(NamedTuple):
    """Layers in order: by priority, then depth. ``packet``: asked for each packet, not for each flow."""

    priority: int
    depth: int
    packet: bool

    def map_name(self, shape: Shape) -> str:
        """The name of its map for boxes of one shape."""
        asked, kind = ("packet" if self.packet else "flow"), ("exact" if shape.exact else "ranges")
        return f"p{self.priority}d{self.depth}{asked}{shape.version}{kind}{'' if shape.ports else 'portless'}"


class Layers:
    """Where each piece lies now."""

    def __init__(self) -> None:
        self._depth: dict[Piece, int] = {}
        self._narrow: dict[tuple[int, int, int], set[Piece]] = defaultdict(set)
        self._wide: dict[int, set[Piece]] = defaultdict(set)
        self._all: dict[int, set[Piece]] = defaultdict(set)

    def __copy__(self) -> Layers:
        other = Layers()
        other._depth = dict(self._depth)
        other._narrow.update({key: set(pieces) for key, pieces in self._narrow.items() if pieces})
        other._wide.update({key: set(pieces) for key, pieces in self._wide.items() if pieces})
        other._all.update({key: set(pieces) for key, pieces in self._all.items() if pieces})
        return other

    def __contains__(self, piece: Piece) -> bool:
        return piece in self._depth

    def layer(self, piece: Piece) -> Layer:
        """Where a piece lies."""
        return Layer(piece.priority, self._depth[piece], piece.packet)

    def pieces(self) -> Iterator[Piece]:
        """All pieces."""
        return iter(self._depth)

    def put(self, piece: Piece) -> set[Piece]:
        """Find a place for a piece; gives the pieces that had to be moved for it, with itself."""
        for keys in self._keys(piece):
            keys.add(piece)
        moved: set[Piece] = set()
        self._sink(piece, 0, moved)
        return moved

    def remove(self, piece: Piece) -> None:
        """Take a piece out; others stay where they are, which keeps them in order."""
        for keys in self._keys(piece):
            keys.discard(piece)
        del self._depth[piece]

    def _sink(self, piece: Piece, least: int, moved: set[Piece]) -> None:
        """Put a piece below all that come before it, and sink those that come after it and lie no deeper."""
        neighbours = [other for other in self._near(piece) if other is not piece and other.meets(piece)]
        above = [self._depth[n] for n in neighbours if n in self._depth and n.order < piece.order]
        self._depth[piece] = depth = max([least - 1, *above]) + 1
        moved.add(piece)
        for after in sorted((n for n in neighbours if n.order > piece.order), key=lambda n: n.order):
            if after in self._depth and self._depth[after] <= depth:
                self._sink(after, depth + 1, moved)

    def _near(self, piece: Piece) -> set[Piece]:
        """Pieces of its priority that may overlap it: found by destination, if that is one address."""
        single = [_single(box) for box in piece.boxes]
        if None in single:
            return self._all[piece.priority]
        near = set(self._wide[piece.priority])
        for at in single:
            assert at is not None
            near |= self._narrow[piece.priority, *at]
        return near

    def _keys(self, piece: Piece) -> list[set[Piece]]:
        keys = [self._all[piece.priority]]
        for at in (_single(box) for box in piece.boxes):
            keys.append(self._wide[piece.priority] if at is None else self._narrow[piece.priority, *at])
        return keys


def _single(box: Box) -> tuple[int, int] | None:
    """IP version and destination of a box that has one destination."""
    low, high = box.dst
    return (box.version, low) if low == high else None
