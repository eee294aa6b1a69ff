"""Taps: copies of frames for an application, made where they come from devices and where they leave to them (pure).

A copy keeps the Ethernet address that it was sent to, which is nobody's at the far end of a tap: an application sees it
on its interface, and no kernel there would forward it. So copies cannot loop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from hanse.drivers.dataplane_nftables.frames import FROM_DEVICES, TO_DEVICES, Hooks
from hanse.drivers.dataplane_nftables.phrases import Json, command, conditions, rule, set_mark
from hanse.drivers.dataplane_nftables.rules import Piece, Rule
from hanse.drivers.dataplane_nftables.ways import Way
from hanse.kit.values import Absent
from hanse.model.descriptor.traffic import FilterType

_CHAINS = (FROM_DEVICES, TO_DEVICES)


def tap_device(address: str) -> str:
    """The interface, of the same name on both sides, by which copies for an address go."""
    return "tap" + hashlib.sha256(address.encode()).hexdigest()[:8]


def tap_devices(found: Rule) -> set[str]:
    """The interfaces of a tap's own; copies that have a way need none."""
    return {tap_device(address) for address in _addresses(found) if address}


def _addresses(found: Rule) -> tuple[str, str]:
    """Who gets copies of what comes from devices, and of what goes to them; empty where they go another way."""
    up, down = found.forwarding.to_address, found.forwarding.core_address
    first, second = found.ways
    return "" if first or isinstance(up, Absent) else up, _second(second, down, up)


def _second(way: Way | None, down: str | Absent, up: str | Absent) -> str:
    return "" if way else down or up or ""


def tap_counters(mark: int) -> tuple[str, str]:
    """The names of a tap's two counters."""
    return f"up{mark}", f"down{mark}"


def tap_commands(before: list[Rule], after: list[Rule], marks: dict[Way, int], hooks: Hooks) -> list[Json]:
    """From some taps to others, with the marks of ways; nothing if they are the same.

    Frames are looked at from the first tap until the last.
    """
    if before == after:
        return []
    old, new = {r.mark for r in before}, {r.mark for r in after}
    return [
        *(command("flush", "chain", chain, "netdev") for chain in _CHAINS),
        *(hooks.copying(on=bool(after)) if bool(before) is not bool(after) else []),
        *(command("delete", "counter", n, "netdev") for mark in sorted(old - new) for n in tap_counters(mark)),
        *(command("add", "counter", n, "netdev") for mark in sorted(new - old) for n in tap_counters(mark)),
        *(said for found in sorted(after, key=lambda r: r.pieces[0].order) for said in _tap(found, marks)),
    ]


def _tap(found: Rule, marks: dict[Way, int]) -> Iterator[Json]:
    both = found.forwarding.filter_type is FilterType.FLOW
    copies = [_copy(way, at, marks) for way, at in zip(found.ways, _addresses(found), strict=True)]
    for piece in found.pieces:
        for leaving, chain, counter, copy in zip((False, True), _CHAINS, tap_counters(found.mark), copies, strict=True):
            for matching in _conditions(piece, leaving, turned=both and leaving):
                yield rule(chain, [*matching, {"counter": counter}, *copy], "netdev")


def _copy(way: Way | None, address: str, marks: dict[Way, int]) -> list[Json]:
    """A copy has the mark of its way; the frame itself has none, here where all that rules asked of it is done."""
    if way is None:
        return [{"dup": {"addr": tap_device(address)}}]
    return [set_mark(marks[way]), {"dup": {"addr": way.device}}, set_mark(0)]


def _conditions(piece: Piece, leaving: bool, turned: bool) -> Iterator[Json]:
    """Of a flow, what leaves to a device is matched with source and destination exchanged."""
    for box in piece.boxes:
        described = box.turned() if turned else box
        yield conditions(described, piece.extra, leaving=leaving)
