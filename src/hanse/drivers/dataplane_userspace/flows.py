"""The rules in force, what passes by each, and the one place where a new flow is let in or refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.index import RuleIndex
from hanse.drivers.dataplane_userspace.rules import Rule, by_priority, decide, flow_key
from hanse.refpoints.mp2 import Action, Flow, Forwarding, RuleCounters


class Passing(Protocol):
    """A flow that passes now, as a byte stream or as datagrams."""

    @property
    def flow(self) -> Flow:
        """Who talks to what."""

    @property
    def target(self) -> tuple[str, int]:
        """The address and port where it goes."""

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


class Admission(NamedTuple):
    """A new flow that a rule takes, and the address and port where it goes."""

    flow: Flow
    target: tuple[str, int]
    by: Installed


class FlowTable:
    """Rules in force and the flows that pass. ``most`` flows pass at a time; further ones are refused."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._installed: dict[str, Installed] = {}
        self._index = RuleIndex()
        self._live: dict[Passing, None] = {}

    def get(self, rule_id: str) -> Installed | None:
        """The rule of that id, if it is in force."""
        return self._installed.get(rule_id)

    def rules(self) -> list[Installed]:
        """All rules in force, the first priority first."""
        order = by_priority(installed.rule for installed in self._installed.values())
        return [self._installed[rule.forwarding.rule_id] for rule in order]

    def put(self, rule: Rule, listens: frozenset[Endpoint]) -> None:
        """Put a rule in force. One of the same id hands on its counters, and its flows as far as they still fit."""
        installed = self._installed.get(rule.forwarding.rule_id)
        if installed is None:
            self._installed[rule.forwarding.rule_id] = Installed(rule, listens, self._live)
            self._index.add(rule, listens)
            return
        self._index.remove(installed.rule, installed.listens)
        installed.rule, installed.listens = rule, listens
        self._index.add(rule, listens)
        for passing in [p for p in installed.live if not self._fits(p, rule)]:
            passing.cut()

    def remove(self, rule_id: str) -> None:
        """Take a rule out of force and cut its flows."""
        installed = self._installed.pop(rule_id)
        self._index.remove(installed.rule, installed.listens)
        for passing in list(installed.live):
            passing.cut()

    def admit(self, source: tuple[str, int], endpoint: Endpoint) -> Admission | None:
        """Decide on a new flow that dialled ``endpoint``; a refused one is counted."""
        candidates = self._index.candidates(source[0], endpoint)
        taken = decide(candidates, *source, endpoint.address, endpoint.port, endpoint.protocol)
        installed = self._installed[taken.rule_id] if taken else self._first_listening(endpoint)
        if installed is None:
            return None
        if taken is None or taken.action is Action.DROP or len(self._live) >= self._most:
            installed.refused += 1
            return None
        return Admission(_flow(taken, source, endpoint), installed.rule.target(endpoint.port), installed)

    def flows(self) -> list[Flow]:
        """What passes now, the newest flow last."""
        return [passing.flow for passing in self._live]

    def _first_listening(self, endpoint: Endpoint) -> Installed | None:
        """The rule at which a flow that no rule takes is counted: the first that listens where it dialled."""
        first = self._index.first_listening(endpoint)
        return self._installed[first.forwarding.rule_id] if first else None

    @staticmethod
    def _fits(passing: Passing, rule: Rule) -> bool:
        """Whether a replaced rule would still carry this flow to the same place."""
        flow = passing.flow
        key = flow_key(flow.src_address, flow.src_port, flow.dst_address, flow.dst_port, flow.protocol)
        forwards = rule.forwarding.action is not Action.DROP
        return forwards and rule.takes(key) and rule.target(flow.dst_port) == passing.target


def reached_from(flow: Flow, own: tuple[str, int] | None) -> Flow:
    """A flow with the data plane's end of its connection to the application, if it has been reached."""
    return replace(flow, peer_address=own[0], peer_port=own[1]) if own else flow


def _flow(taken: Forwarding, source: tuple[str, int], endpoint: Endpoint) -> Flow:
    return Flow(
        rule_id=taken.rule_id,
        protocol=endpoint.protocol,
        src_address=source[0],
        src_port=source[1],
        dst_address=endpoint.address,
        dst_port=endpoint.port,
    )
