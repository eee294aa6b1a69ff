"""What traffic rules claim, found by what tells rules apart, however many others there are.

Rules that may meet a given one are looked for by destination address, source address, destination port and tag, each by
itself; those found by the attribute that leaves the fewest are then compared. An attribute's values lie in a tree of
aligned blocks, eight bits a level (IPv6: sixteen): what meets a block is above it, in it or below it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from hanse.elements.mep.app_rules.overlap import PORTS, Described, Span, Spans, described
from hanse.elements.mep.app_rules.rules import forwarding
from hanse.model.descriptor.traffic import Action
from hanse.refpoints.mm5.platform import AppConfiguration
from hanse.refpoints.mp1.support import TrafficRule

COPIES = (Action.DUPLICATE_DECAPSULATED, Action.DUPLICATE_ENCAPSULATED)
"""Actions that take nothing from anybody."""
_BITS = {PORTS: 16, 4: 32, 6: 128}
_STEP = {PORTS: 8, 4: 8, 6: 16}
_Path = tuple[Hashable, ...]
"""Blocks, each within the one before; the first holds everything."""
_ROOT: _Path = (None,)


@dataclass(frozen=True, eq=False)
class Claim:
    """What one rule of an app wants: the packets of its filters, at a priority; ``end`` says what becomes of them."""

    owner: str
    package: str
    rule_id: str
    priority: int
    filters: tuple[Described, ...]
    end: Hashable
    copies: bool = False

    def meets(self, other: Claim) -> bool:
        """Whether a packet may be described by both."""
        return any(mine.meets(theirs) for mine in self.filters for theirs in other.filters)

    def harms(self, other: Claim) -> bool:
        """Whether another app wants the same packets for something else; instances of one package share theirs."""
        apart = self.owner != other.owner and (not self.package or self.package != other.package)
        return apart and self.end != other.end and self.meets(other)


def claim_of(app: AppConfiguration, rule: TrafficRule) -> Claim:
    """What a rule of an app claims; a problem 400 if it cannot be carried out."""
    carried = forwarding(app, rule)
    return Claim(
        owner=app.app_instance_id,
        package=app.app_d_id,
        rule_id=rule.traffic_rule_id,
        priority=rule.priority,
        filters=tuple(described(wanted) for wanted in rule.traffic_filter),
        end=(carried.action, carried.to_address, carried.to_port, carried.to_mac, carried.to_tunnel),
        copies=rule.action in COPIES,
    )


class Claims:
    """Claims by their priority and by what their filters name."""

    def __init__(self) -> None:
        self._at: defaultdict[int, tuple[_Tree, ...]] = defaultdict(lambda: tuple(_Tree() for _ in range(4)))

    def add(self, claim: Claim) -> None:
        """Something is claimed."""
        for tree, paths in zip(self._at[claim.priority], _paths(claim), strict=True):
            tree.add(claim, paths)

    def remove(self, claim: Claim) -> None:
        """Something that was added is claimed no more."""
        for tree, paths in zip(self._at[claim.priority], _paths(claim), strict=True):
            tree.remove(claim, paths)

    def candidates(self, claim: Claim) -> Iterable[Claim]:
        """Claims of the same priority that may meet this one; most of the others are left out."""
        return self._candidates(claim.priority, _paths(claim))

    def anywhere(self, claim: Claim) -> Iterable[Claim]:
        """As `candidates`, of every priority."""
        paths = _paths(claim)
        return [found for priority in tuple(self._at) for found in self._candidates(priority, paths)]

    def _candidates(self, priority: int, paths: tuple[set[_Path], ...]) -> Iterable[Claim]:
        trees = zip(self._at[priority], paths, strict=True)
        found = min((list(tree.shelves(ends)) for tree, ends in trees), key=lambda shelves: sum(map(len, shelves)))
        return dict.fromkeys(claim for shelf in found for claim in shelf)


class _Tree:
    """Claims by one attribute."""

    def __init__(self) -> None:
        self._in: dict[Hashable, dict[Claim, None]] = {}
        self._below: dict[Hashable, dict[Claim, None]] = {}

    def add(self, claim: Claim, paths: Iterable[_Path]) -> None:
        for shelf, block in self._places(paths):
            shelf.setdefault(block, {})[claim] = None

    def remove(self, claim: Claim, paths: Iterable[_Path]) -> None:
        for shelf, block in self._places(paths):
            if block in shelf:
                shelf[block].pop(claim, None)
                if not shelf[block]:
                    del shelf[block]

    def shelves(self, paths: Iterable[_Path]) -> Iterator[dict[Claim, None]]:
        """All that holds what may meet the blocks at the ends of these paths."""
        for path in paths:
            yield from (self._in[block] for block in path if block in self._in)
            if path[-1] in self._below:
                yield self._below[path[-1]]

    def _places(self, paths: Iterable[_Path]) -> Iterator[tuple[dict[Hashable, dict[Claim, None]], Hashable]]:
        for path in paths:
            yield self._in, path[-1]
            yield from ((self._below, block) for block in path[:-1])


def _paths(claim: Claim) -> tuple[set[_Path], ...]:
    """Where it lies by each attribute; a rule without a value there lies in the block of everything."""
    found: tuple[set[_Path], ...] = (set(), set(), set(), set())
    for wanted in claim.filters:
        for paths, spans in zip(found, (wanted.dst_address, wanted.src_address, wanted.dst_port), strict=False):
            paths.update(_of_spans(spans))
        found[3].update([_ROOT] if wanted.tag is None else [(*_ROOT, tag) for tag in wanted.tag])
    return found


def _of_spans(spans: Spans) -> Iterable[_Path]:
    return [_ROOT] if spans is None else [_of_span(span) for span in spans]


def _of_span(span: Span) -> _Path:
    """The path to the smallest block that holds the whole span."""
    bits, step = _BITS[span.kind], _STEP[span.kind]
    alike = bits - (span.low ^ span.high).bit_length()
    return (*_ROOT, *((span.kind, depth, span.low >> (bits - depth)) for depth in range(step, alike + 1, step)))
