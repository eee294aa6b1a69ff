"""The rules in force, what passes by each, and the one place where a new flow is let in or refused."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from hanse.drivers.dataplane_userspace.endpoints import Endpoint, copies
from hanse.drivers.dataplane_userspace.index import Listened, RuleIndex
from hanse.drivers.dataplane_userspace.installed import Installed, Passing
from hanse.drivers.dataplane_userspace.rules import Rule, by_priority, decide, flow_key
from hanse.drivers.dataplane_userspace.taps import Taps
from hanse.kit.values import Absent
from hanse.refpoints.mp2 import Action, Flow, Forwarding


class Admission(NamedTuple):
    """A new flow that a rule takes, and the address and port where it goes."""

    flow: Flow
    target: tuple[str, int]
    by: Installed


class FlowTable:
    """Rules in force and the flows that pass: ``most`` at a time, fewer if they are copied; others are refused."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._installed: dict[str, Installed] = {}
        self._in_order: list[Installed] | None = None
        self._index, self._listened = RuleIndex(), Listened()
        self._live: dict[Passing, None] = {}
        self.taps = Taps(room=lambda: not self._full())

    def get(self, rule_id: str) -> Installed | None:
        """The rule of that id, if it is in force."""
        return self._installed.get(rule_id)

    def rules(self) -> list[Installed]:
        """All rules in force, the first priority first; put in order when they are asked for after a change."""
        if self._in_order is None:
            order = by_priority(installed.rule for installed in self._installed.values())
            self._in_order = [self._installed[rule.forwarding.rule_id] for rule in order]
        return list(self._in_order)

    def rules_of(self, owner: str) -> list[Installed]:
        """Those of one owner."""
        theirs = by_priority(i.rule for i in self._installed.values() if i.rule.forwarding.owner == owner)
        return [self._installed[rule.forwarding.rule_id] for rule in theirs]

    def put(self, rule: Rule, listens: frozenset[Endpoint]) -> None:
        """Put a rule in force. One of the same id hands on its counters, and its flows as far as they still fit."""
        self._in_order = None
        installed = self._installed.get(rule.forwarding.rule_id)
        copied = installed is not None and copies(installed.rule.forwarding)
        if installed is None:
            installed = self._installed[rule.forwarding.rule_id] = Installed(rule, listens, self._live)
        else:
            self._take_out(installed)
            installed.rule, installed.listens = rule, listens
        for passing in [p for p in installed.live if not self._fits(p, rule)]:
            passing.cut()
        self._put_in(installed)
        if copied or copies(rule.forwarding):
            self._retap()

    def listen(self, rule_id: str, listens: frozenset[Endpoint]) -> None:
        """A rule in force has come to listen elsewhere; what passes goes on."""
        installed = self._installed[rule_id]
        self._listened.remove(installed.rule, installed.listens)
        installed.listens = listens
        self._listened.add(installed.rule, listens)

    def remove(self, rule_id: str) -> None:
        """Take a rule out of force and cut its flows."""
        self._in_order = None
        installed = self._installed.pop(rule_id)
        self._take_out(installed)
        if copies(installed.rule.forwarding):
            self._retap()
        for passing in list(installed.live):
            passing.cut()

    def _put_in(self, installed: Installed) -> None:
        if copies(installed.rule.forwarding):
            self.taps.put(installed)
        else:
            self._index.add(installed.rule)
            self._listened.add(installed.rule, installed.listens)

    def _take_out(self, installed: Installed) -> None:
        if copies(installed.rule.forwarding):
            self.taps.remove(installed)
        else:
            self._index.remove(installed.rule)
            self._listened.remove(installed.rule, installed.listens)

    def _retap(self) -> None:
        for passing in list(self._live):
            passing.retap()

    def admit(self, source: tuple[str, int], dialled: Endpoint) -> Admission | None:
        """Decide on a new flow that dialled an address and port; a refused one is counted, a copy made here is none."""
        if self.taps.is_own(source, dialled):
            return None
        candidates = self._index.candidates(source[0], dialled)
        taken = decide(candidates, *source, dialled.address, dialled.port, dialled.protocol)
        installed = self._installed[taken.rule_id] if taken else self._first_listening(dialled)
        if installed is None:
            return None
        target = _target(installed.rule, dialled) if taken else None
        if taken is None or target is None or self._full():
            installed.refused += 1
            return None
        return Admission(_flow(taken, source, dialled), target, installed)

    def flows(self) -> list[Flow]:
        """What passes now, the newest flow last."""
        return [passing.flow for passing in self._live]

    def _full(self) -> bool:
        """A flow takes two sockets, a copy of one direction one."""
        return 2 * len(self._live) + self.taps.sockets >= 2 * self._most

    def _first_listening(self, dialled: Endpoint) -> Installed | None:
        """The rule at which a flow that no rule takes is counted: the first that listens where it dialled."""
        first = self._listened.first(dialled)
        return self._installed[first.forwarding.rule_id] if first else None

    @staticmethod
    def _fits(passing: Passing, rule: Rule) -> bool:
        """Whether a replaced rule would still carry this flow to the same place."""
        flow = passing.flow
        key = flow_key(flow.src_address, flow.src_port, flow.dst_address, flow.dst_port, flow.protocol)
        dialled = Endpoint(flow.protocol, flow.dst_address, flow.dst_port)
        return not copies(rule.forwarding) and rule.takes(key) and _target(rule, dialled) == passing.target


def _target(rule: Rule, dialled: Endpoint) -> tuple[str, int] | None:
    """Where a rule brings what dialled here; nowhere if it drops it, or if here is where it would bring it."""
    forwarding = rule.forwarding
    if forwarding.action is Action.DROP or isinstance(forwarding.to_address, Absent):
        return None
    target = rule.target(dialled.port)
    return None if target == (dialled.address, dialled.port) else target


def reached_from(flow: Flow, own: tuple[str, int] | None) -> Flow:
    """A flow with the data plane's end of its connection to the application, if it has been reached."""
    return replace(flow, peer_address=own[0], peer_port=own[1]) if own else flow


def _flow(taken: Forwarding, source: tuple[str, int], dialled: Endpoint) -> Flow:
    return Flow(
        rule_id=taken.rule_id,
        protocol=dialled.protocol,
        src_address=source[0],
        src_port=source[1],
        dst_address=dialled.address,
        dst_port=dialled.port,
    )
