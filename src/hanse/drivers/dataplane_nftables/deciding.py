"""The chains that decide on a packet: which maps and single rules are asked, in which order (pure).

Packets of known flows are nearly all that there are. While neither a rule for packets nor a way asks for more, such a
packet costs one lookup, which counts it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hanse.drivers.dataplane_nftables.boxes import Shape
from hanse.drivers.dataplane_nftables.layers import Layer
from hanse.drivers.dataplane_nftables.phrases import FLOW_MARK, Json, conditions, is_, is_not, looked_up, rule, set_mark
from hanse.drivers.dataplane_nftables.rules import Piece

_RETURN: Json = {"return": None}
_ACCEPT: Json = {"accept": None}
_KNOWN = is_not(FLOW_MARK, 0)


@dataclass
class _Asked:
    shapes: set[Shape] = field(default_factory=set)
    singles: list[Piece] = field(default_factory=list)


@dataclass
class Deciding:
    """What is asked at each layer: maps by shape, and pieces that no map can hold.

    ``led``: some packets leave by a way that their mark must say.
    """

    asked: dict[Layer, _Asked]
    maps: dict[str, Shape]
    led: bool

    @classmethod
    def of(cls, placed: Iterable[tuple[Layer, Piece]], led: bool) -> Deciding:
        """From where each piece lies."""
        asked: dict[Layer, _Asked] = defaultdict(_Asked)
        for layer, piece in placed:
            if piece.plain:
                asked[layer].shapes.update(box.shape for box in piece.boxes)
            else:
                asked[layer].singles.append(piece)
        for found in asked.values():
            found.singles.sort(key=lambda piece: piece.order)
        maps = {layer.map_name(shape): shape for layer, a in asked.items() for shape in a.shapes}
        return cls(dict(sorted(asked.items())), maps, led)

    def commands(self) -> list[Json]:
        """The rules of the two chains, which are empty.

        Without rules for packets a known flow is asked nothing. With them each packet goes through the layers, where
        the flow's own decision counts at its priority.
        """
        if not any(layer.packet for layer in self.asked):
            return [*self._known(), *self._layers(by_flow=[])]
        return list(self._layers(by_flow=[is_(FLOW_MARK, 0)]))

    def _known(self) -> list[Json]:
        """A flow whose rule goes just now passes uncounted until it is cut."""
        if self.led:
            return [rule("known", [_KNOWN, set_mark(FLOW_MARK), {"goto": {"target": "up_counted"}}])]
        return [rule("known", [is_(FLOW_MARK, "@up"), _ACCEPT]), rule("known", [_KNOWN, _ACCEPT])]

    def _layers(self, by_flow: list[Json]) -> Iterator[Json]:
        kept: set[int] = set()
        for layer, asked in self.asked.items():
            only_new = [] if layer.packet else by_flow
            if only_new and layer.priority not in kept:
                kept.add(layer.priority)
                own = is_(FLOW_MARK, f"@flows{layer.priority}")
                yield rule("decide", [own, set_mark(FLOW_MARK), _RETURN])
            for shape in sorted(asked.shapes):
                yield rule("decide", [*only_new, set_mark(looked_up(layer.map_name(shape), shape)), _RETURN])
            for piece in asked.singles:
                for box in piece.boxes:
                    said = [*only_new, *conditions(box, piece.extra), set_mark(piece.mark), _RETURN]
                    yield rule("decide", said)
