"""The rules in force, and what to tell the kernel when some change: only the difference, as one transaction (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from copy import copy

from hanse.drivers.dataplane_nftables.boxes import Box
from hanse.drivers.dataplane_nftables.deciding import Deciding
from hanse.drivers.dataplane_nftables.frames import Hooks
from hanse.drivers.dataplane_nftables.layers import Layers
from hanse.drivers.dataplane_nftables.leading import Ways, way_commands
from hanse.drivers.dataplane_nftables.phrases import Json, box_key, command, elements, map_of_boxes
from hanse.drivers.dataplane_nftables.rules import Piece, Rule
from hanse.drivers.dataplane_nftables.tapping import tap_commands

_Slot = tuple[str, Box]


class Ruleset:
    """A set of rules and where each lies. `changed` gives the next one and leaves this one as it is."""

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks
        self.rules: dict[str, Rule] = {}
        self.ways = Ways()
        self._layers = Layers()

    def changed(self, ids: Iterable[str], rules: Iterable[Rule]) -> tuple[Ruleset, list[Json]]:
        """Without the rules of some ids, with others put in their place; and the commands that lead there."""
        after = Ruleset(self.hooks)
        after.rules, after._layers, after.ways = dict(self.rules), copy(self._layers), copy(self.ways)
        new = list(rules)
        gone = [self.rules[i] for i in {*ids, *(r.forwarding.rule_id for r in new)} if i in self.rules]
        touched = after._replace(gone, new)
        return after, _difference(self, after, gone, new, touched)

    def _replace(self, gone: list[Rule], new: list[Rule]) -> set[Piece]:
        self.ways.replace(gone, new)
        for rule in gone:
            del self.rules[rule.forwarding.rule_id]
            for piece in () if rule.taps else rule.pieces:
                self._layers.remove(piece)
        touched = {piece for rule in gone if not rule.taps for piece in rule.pieces}
        for rule in new:
            self.rules[rule.forwarding.rule_id] = rule
            for piece in () if rule.taps else rule.pieces:
                touched |= self._layers.put(piece)
        return touched

    @property
    def reads_frames(self) -> bool:
        """Whether applications get frames by their Ethernet addresses."""
        return any(not way.tunnel for way in self.ways.marks)

    def slots(self, pieces: Iterable[Piece]) -> dict[_Slot, int]:
        """The elements of those pieces that are here and lie in maps."""
        return {
            (self._layers.layer(piece).map_name(box.shape), box): piece.mark
            for piece in pieces
            if piece.plain and piece in self._layers
            for box in piece.boxes
        }

    def deciding(self) -> Deciding:
        """Which maps and rules are asked in which order."""
        placed = ((self._layers.layer(piece), piece) for piece in self._layers.pieces())
        return Deciding.of(placed, bool(self.ways.marks))


def _difference(before: Ruleset, after: Ruleset, gone: list[Rule], new: list[Rule], touched: set[Piece]) -> list[Json]:
    old, now = before.slots(touched), after.slots(touched)
    asked, to_ask = before.deciding(), after.deciding()
    out = {slot: mark for slot, mark in old.items() if now.get(slot) != mark}
    into = {slot: mark for slot, mark in now.items() if old.get(slot) != mark}
    rebuilt = asked != to_ask
    return [
        *([command("flush", "chain", "decide"), command("flush", "chain", "known")] if rebuilt else []),
        *_in_maps("delete", {slot: mark for slot, mark in out.items() if slot[0] in to_ask.maps}),
        *(command("delete", "map", name) for name in asked.maps.keys() - to_ask.maps.keys()),
        *_marks(gone, new, before, after),
        *(map_of_boxes(name, to_ask.maps[name]) for name in to_ask.maps.keys() - asked.maps.keys()),
        *_in_maps("add", into),
        *(to_ask.commands() if rebuilt else []),
        *way_commands(before.ways, after.ways, after.hooks),
        *tap_commands(_taps(before), _taps(after), after.ways.marks, after.hooks),
    ]


def _in_maps(verb: str, slots: dict[_Slot, int]) -> list[Json]:
    by_map: dict[str, list[Json]] = defaultdict(list)
    for (name, box), mark in slots.items():
        by_map[name].append([box_key(box), mark])
    return [said for name, found in by_map.items() for said in elements(verb, name, found)]


def _marks(gone: list[Rule], new: list[Rule], before: Ruleset, after: Ruleset) -> list[Json]:
    """Sets and maps by number. What stays the same is not touched, so that its counters go on."""
    old, now = _memberships(gone, before.ways), _memberships(new, after.ways)
    had = {rule.flow_set for rule in before.rules.values() if rule.flow_set}
    has = {rule.flow_set for rule in after.rules.values() if rule.flow_set}
    return [
        *_by_name("delete", {k: v for k, v in old.items() if now.get(k) != v and k[0] not in had - has}),
        *(command("delete", "set", name) for name in had - has),
        *(command("add", "set", name, type="mark") for name in has - had),
        *_by_name("add", {k: v for k, v in now.items() if old.get(k) != v}),
    ]


def _memberships(rules: list[Rule], ways: Ways) -> dict[tuple[str, int], Json]:
    found = {(name, rule.mark): said for rule in rules for name, said in rule.memberships()}
    led = {("ways", rule.mark): [rule.mark, ways.marks[w]] for rule in rules if not rule.taps and (w := rule.ways[0])}
    return found | led


def _taps(ruleset: Ruleset) -> list[Rule]:
    return [rule for rule in ruleset.rules.values() if rule.taps]


def _by_name(verb: str, members: dict[tuple[str, int], Json]) -> list[Json]:
    by_name: dict[str, list[Json]] = defaultdict(list)
    for (name, _), said in members.items():
        by_name[name].append(said)
    return [said for name, found in by_name.items() for said in elements(verb, name, found)]
