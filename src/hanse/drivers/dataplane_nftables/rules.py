"""A forwarding as the kernel will carry it out: checked, numbered, cut into pieces (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from hanse.drivers.dataplane_nftables.boxes import Box, boxes
from hanse.drivers.dataplane_nftables.extra import NOTHING, Extra, extra
from hanse.drivers.dataplane_nftables.ways import ENCAPSULATED, Surroundings, Way, ways
from hanse.kit.problems import bad_request
from hanse.kit.values import Absent
from hanse.refpoints.mp2 import Action, FilterType, Forwarding

_TAPS = (Action.DUPLICATE_DECAPSULATED, Action.DUPLICATE_ENCAPSULATED)


@dataclass(frozen=True, eq=False)
class Piece:
    """One filter of a rule, known by itself. ``mark`` is the rule's number; pieces that come first are asked first."""

    mark: int
    order: tuple[int, str, int]
    packet: bool
    boxes: tuple[Box, ...]
    extra: Extra = NOTHING

    @property
    def priority(self) -> int:
        """That of the rule, 0 first."""
        return self.order[0]

    @property
    def plain(self) -> bool:
        """Whether addresses, protocol and ports say it all."""
        return self.extra == NOTHING and not any(box.by_header for box in self.boxes)

    def meets(self, other: Piece) -> bool:
        """Whether both may describe one packet."""
        return any(mine.meets(theirs) for mine in self.boxes for theirs in other.boxes)


@dataclass(frozen=True, eq=False)
class Rule:
    """A forwarding with its number and its pieces."""

    mark: int
    forwarding: Forwarding
    pieces: tuple[Piece, ...]
    ways: tuple[Way | None, Way | None] = (None, None)

    @property
    def taps(self) -> bool:
        """Whether it brings copies and lets the traffic go on."""
        return self.forwarding.action in _TAPS

    @property
    def asks(self) -> bool:
        """Whether it asks by which bearer a packet came."""
        return any(piece.extra.bearers is not None for piece in self.pieces)

    @property
    def drops(self) -> bool:
        """Whether what it takes goes nowhere."""
        return self.forwarding.action is Action.DROP

    @property
    def target(self) -> tuple[str, int | None] | None:
        """The address that it is sent to instead, or ``None`` if it keeps its own, or goes nowhere."""
        forwarding = self.forwarding
        turns = forwarding.action is Action.FORWARD_DECAPSULATED and not self.ways[0]
        if not turns or isinstance(forwarding.to_address, Absent):
            return None
        return forwarding.to_address, None if isinstance(forwarding.to_port, Absent) else forwarding.to_port

    @property
    def flow_set(self) -> str | None:
        """The set of the numbers of those that decide for flows at its priority."""
        decides = not self.taps and self.forwarding.filter_type is FilterType.FLOW
        return f"flows{self.forwarding.priority}" if decides else None

    def memberships(self) -> Iterator[tuple[str, Any]]:
        """Sets and maps that hold its number, and what they hold."""
        if self.taps:
            return
        yield from ((name, self.mark) for name in ("begun", "up", "down"))
        if self.drops:
            yield "dropped", self.mark
        if self.flow_set:
            yield self.flow_set, self.mark
        if self.target:
            address, port = self.target
            version = 6 if ":" in address else 4
            yield f"to{version}", [self.mark, address]
            if port is not None:
                yield f"to{version}port", [self.mark, {"concat": [address, port]}]


def read_rule(forwarding: Forwarding, mark: int, around: Surroundings) -> Rule:
    """Read a forwarding; 400 names what cannot be read or carried out."""
    if not forwarding.matches:
        raise bad_request("matches is empty", "give at least one filter; one without attributes matches everything")
    packet = forwarding.filter_type is FilterType.PACKET
    described = [boxes(match) for match in forwarding.matches]
    extras = [extra(match, around, forwarding.action in ENCAPSULATED) for match in forwarding.matches]
    found = ways(forwarding, around)
    version = _version_of_target(forwarding, found, {box.version for each in described for box in each})
    pieces = (
        Piece(mark, (forwarding.priority, forwarding.rule_id, n), packet, _of_version(version, each), more)
        for n, (each, more) in enumerate(zip(described, extras, strict=True))
    )
    return Rule(mark, forwarding, tuple(piece for piece in pieces if piece.boxes), found)


def _of_version(version: int | None, described: tuple[Box, ...]) -> tuple[Box, ...]:
    """What of a filter can go to an address: packets of the other IP version are left to other rules."""
    return tuple(box for box in described if version in (None, box.version))


def _version_of_target(forwarding: Forwarding, found: tuple[Way | None, Way | None], described: set[int]) -> int | None:
    """The IP version of the address that packets are sent to instead of theirs, ``None`` if they keep theirs; 400."""
    if forwarding.action in (Action.DROP, Action.PASSTHROUGH):
        return None
    if not isinstance(forwarding.core_address, Absent):
        _version(forwarding.core_address, "coreAddress")
    if found[0]:
        return None
    if isinstance(forwarding.to_address, Absent):
        raise bad_request("toAddress is missing", f"a rule that does {forwarding.action} needs an address to go to")
    version = _version(forwarding.to_address, "toAddress")
    if not isinstance(forwarding.to_port, Absent) and not 0 < forwarding.to_port < 65536:
        raise bad_request("toPort is not a port", f"write a port between 1 and 65535; got {forwarding.to_port}")
    if forwarding.action in _TAPS:
        return None
    if version not in described:
        detail = f"no address is translated between IP versions; the filter has IPv{described.pop()}"
        raise bad_request(f"toAddress is of IPv{version}", detail)
    return version


def _version(text: str, field: str) -> int:
    try:
        return ip_address(text).version
    except ValueError:
        raise bad_request(f"{field} is not an address", f"write an IP address; got {text!r}") from None
