"""The rules in force, what passes by each, and the one place where a new flow is let in or refused."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.rules import Rule, by_priority, decide, flow_key
from hanse.refpoints.mp2 import Action, Flow, Forwarding, RuleCounters

_BEGINNINGS = count()


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
    """A rule in force: where it listens, what passed by it, what passes now (numbered as it began, by all rules)."""

    rule: Rule
    listens: frozenset[Endpoint]
    live: dict[Passing, int] = field(default_factory=dict)
    bytes_up: int = 0
    bytes_down: int = 0
    flows: int = 0
    refused: int = 0

    def begin(self, passing: Passing) -> None:
        """A flow passes from now on."""
        self.live[passing] = next(_BEGINNINGS)

    def end(self, passing: Passing) -> None:
        """A flow passes no more; told again, nothing changes."""
        self.live.pop(passing, None)

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
    """Rules in the order in which they are asked. ``most`` flows pass at a time; further ones are refused."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._installed: dict[str, Installed] = {}
        self._order: list[Rule] = []

    def get(self, rule_id: str) -> Installed | None:
        """The rule of that id, if it is in force."""
        return self._installed.get(rule_id)

    def rules(self) -> list[Installed]:
        """All rules in force, the first priority first."""
        return [self._installed[rule.forwarding.rule_id] for rule in self._order]

    def put(self, rule: Rule, listens: frozenset[Endpoint]) -> None:
        """Put a rule in force. One of the same id hands on its counters, and its flows as far as they still fit."""
        installed = self._installed.setdefault(rule.forwarding.rule_id, Installed(rule, listens))
        installed.rule, installed.listens = rule, listens
        self._reorder()
        for passing in [p for p in installed.live if not self._fits(p, rule)]:
            passing.cut()

    def remove(self, rule_id: str) -> None:
        """Take a rule out of force and cut its flows."""
        installed = self._installed.pop(rule_id)
        self._reorder()
        for passing in list(installed.live):
            passing.cut()

    def admit(self, source: tuple[str, int], endpoint: Endpoint) -> Admission | None:
        """Decide on a new flow that dialled ``endpoint``; a refused one is counted."""
        taken = decide(self._order, *source, endpoint.address, endpoint.port, endpoint.protocol)
        installed = self._installed[taken.rule_id] if taken else self._first_listening(endpoint)
        if installed is None:
            return None
        if taken is None or taken.action is Action.DROP or self._full():
            installed.refused += 1
            return None
        return Admission(_flow(taken, source, endpoint), installed.rule.target(endpoint.port), installed)

    def flows(self) -> list[Flow]:
        """What passes now, the newest flow last."""
        live = [entry for installed in self._installed.values() for entry in installed.live.items()]
        return [passing.flow for passing, _ in sorted(live, key=lambda entry: entry[1])]

    def _reorder(self) -> None:
        self._order = by_priority(installed.rule for installed in self._installed.values())

    def _full(self) -> bool:
        return sum(len(installed.live) for installed in self._installed.values()) >= self._most

    def _first_listening(self, endpoint: Endpoint) -> Installed | None:
        """The rule at which a flow that no rule takes is counted: the first that listens where it dialled."""
        return next((installed for installed in self.rules() if endpoint in installed.listens), None)

    @staticmethod
    def _fits(passing: Passing, rule: Rule) -> bool:
        """Whether a replaced rule would still carry this flow to the same place."""
        flow = passing.flow
        key = flow_key(flow.src_address, flow.src_port, flow.dst_address, flow.dst_port, flow.protocol)
        forwards = rule.forwarding.action is not Action.DROP
        return forwards and rule.takes(key) and rule.target(flow.dst_port) == passing.target


def reached_from(flow: Flow, transport: asyncio.BaseTransport | None) -> Flow:
    """A flow with the data plane's end of its connection to the application, if it has been reached."""
    own = transport.get_extra_info("sockname") if transport else None
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
