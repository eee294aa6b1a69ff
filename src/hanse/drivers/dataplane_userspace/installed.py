"""A rule in force, and what passes by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.rules import Rule
from hanse.refpoints.mp2 import Flow, RuleCounters


class Passing(Protocol):
    """A flow that passes now, as a byte stream or as datagrams."""

    @property
    def flow(self) -> Flow:
        """Who talks to what."""

    @property
    def target(self) -> tuple[str, int]:
        """The address and port where it goes."""

    def retap(self) -> None:
        """Rules that copy have changed: be copied to what they say now."""

    def cut(self) -> None:
        """End it at once; both ends see that it was cut, not that it was complete."""


@dataclass(eq=False)
class Installed:
    """A rule in force: where it listens, what passed by it, what passes now; ``all_live`` is that of all rules."""

    rule: Rule
    listens: frozenset[Endpoint]
    all_live: dict[Passing, None]
    live: dict[Passing, None] = field(default_factory=dict)
    bytes_up: int = 0
    bytes_down: int = 0
    flows: int = 0
    refused: int = 0

    def begin(self, passing: Passing) -> None:
        """A flow passes from now on."""
        self.live[passing] = self.all_live[passing] = None

    def end(self, passing: Passing) -> None:
        """A flow passes no more; told again, nothing changes."""
        self.live.pop(passing, None)
        self.all_live.pop(passing, None)

    def count_up(self, size: int) -> None:
        """Bytes came from a device."""
        self.bytes_up += size

    def count_down(self, size: int) -> None:
        """Bytes came from the application."""
        self.bytes_down += size

    def counters(self) -> RuleCounters:
        """The counters as they are now."""
        return RuleCounters(
            rule_id=self.rule.forwarding.rule_id,
            bytes_up=self.bytes_up,
            bytes_down=self.bytes_down,
            flows=self.flows,
            open_flows=len(self.live),
            refused=self.refused,
        )
