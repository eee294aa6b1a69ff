"""The ways in use, numbered: by a mark a packet is routed to a way's interface, its frame addressed there (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import copy

from hanse.drivers.dataplane_nftables.frames import Hooks
from hanse.drivers.dataplane_nftables.gtp import labels
from hanse.drivers.dataplane_nftables.gtp.table import Ends
from hanse.drivers.dataplane_nftables.phrases import MARK, Json, command, elements, is_, rule, set_mark
from hanse.drivers.dataplane_nftables.rules import Rule
from hanse.drivers.dataplane_nftables.topology import KIND_OF_WAY, TO_MAC, TO_TUNNEL
from hanse.drivers.dataplane_nftables.ways import Way


class Ways:
    """``marks`` of the ways that rules use; a way keeps its mark as long as one uses it, and none gets it later."""

    def __init__(self) -> None:
        self.marks: dict[Way, int] = {}
        self._uses: Counter[Way] = Counter()
        self._next = 1

    def __copy__(self) -> Ways:
        other = Ways()
        other.marks, other._uses, other._next = dict(self.marks), copy(self._uses), self._next
        return other

    @property
    def tunnels(self) -> dict[int, Ends]:
        """The two ends of each tunnel, by its number."""
        ends = ((mark & ~KIND_OF_WAY, way) for way, mark in self.marks.items() if way.tunnel)
        return {number: Ends(way.here, way.there, way.tunnel) for number, way in ends}

    def replace(self, gone: list[Rule], new: list[Rule]) -> None:
        """Some rules go and others come."""
        self._uses = self._uses + Counter(_used(new)) - Counter(_used(gone))
        self.marks = {way: mark for way, mark in self.marks.items() if way in self._uses}
        for way in self._uses:
            if way not in self.marks:
                self.marks[way] = (TO_TUNNEL if way.tunnel else TO_MAC) | self._next
                self._next += 1


def way_commands(before: Ways, after: Ways, hooks: Hooks) -> list[Json]:
    """From some ways to others; what leads packets is hooked in with the first and taken out with the last."""
    gone = {way: mark for way, mark in before.marks.items() if way not in after.marks}
    new = {way: mark for way, mark in after.marks.items() if way not in before.marks}
    ours, now = _ours(before), _ours(after)
    begins, ends = not before.marks and after.marks, before.marks and not after.marks
    return [
        *([*_lead(), *hooks.addressing(on=True)] if begins else []),
        *([*_lead_no_more(), *hooks.addressing(on=False)] if ends else []),
        *elements("delete", "there", [[mark, _there(way, mark)] for way, mark in gone.items()], "netdev"),
        *elements("delete", "here", [[mark, way.here] for way, mark in gone.items() if _named(way)], "netdev"),
        *elements("delete", "ours", sorted(ours - now), "netdev"),
        *elements("add", "there", [[mark, _there(way, mark)] for way, mark in new.items()], "netdev"),
        *elements("add", "here", [[mark, way.here] for way, mark in new.items() if _named(way)], "netdev"),
        *elements("add", "ours", sorted(now - ours), "netdev"),
    ]


def _lead() -> list[Json]:
    """After addresses are translated, which asks for the number of the rule, the mark becomes that of its way."""
    hook: dict[str, Json] = {"type": "filter", "hook": "prerouting", "prio": -99, "policy": "accept"}
    asks = is_({"ct": {"key": "direction"}}, "original")
    return [
        command("add", "chain", "lead", **hook),
        rule("lead", [asks, set_mark({"map": {"key": MARK, "data": "@ways"}})]),
    ]


def _lead_no_more() -> list[Json]:
    return [command(verb, "chain", "lead") for verb in ("flush", "delete")]


def _used(rules: list[Rule]) -> Iterator[Way]:
    return (way for rule in rules for way in rule.ways if way)


def _there(way: Way, mark: int) -> str:
    return labels.written(labels.of_tunnel(mark & ~KIND_OF_WAY)) if way.tunnel else way.there


def _named(way: Way) -> bool:
    return not way.tunnel and bool(way.here)


def _ours(ways: Ways) -> set[str]:
    """Ethernet addresses in whose name frames are sent, and which answers go to."""
    return {way.here for way in ways.marks if _named(way)}
