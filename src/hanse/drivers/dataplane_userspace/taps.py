"""Which flows are copied, and where each copy goes: decided anew whenever a rule that copies changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.index import RuleIndex
from hanse.drivers.dataplane_userspace.installed import Installed
from hanse.drivers.dataplane_userspace.rules import Rule, flow_key
from hanse.kit.values import Absent
from hanse.refpoints.mp2 import FilterType, Flow

Socket = tuple[str, int]
"""An address and a port."""


class Way(NamedTuple):
    """What a copy of one direction is: sent from the address whose words they are, to an application."""

    source: str
    target: Socket


class Tap(NamedTuple):
    """Copies of a flow by a rule: of what comes from the device, and of what goes to it."""

    by: Installed
    up: Way | None
    down: Way | None


class Taps:
    """The rules in force that copy, and the sockets that carry their copies, which are themselves never taken."""

    def __init__(self, room: Callable[[], bool] = lambda: True) -> None:
        """``room`` tells whether there may be another socket."""
        self._room = room
        self._rules: dict[str, Installed] = {}
        self._index = RuleIndex()
        self._own: dict[tuple[str, Socket, Socket], Callable[[], None]] = {}

    def put(self, installed: Installed) -> None:
        """A rule copies from now on."""
        self._rules[installed.rule.forwarding.rule_id] = installed
        self._index.add(installed.rule)

    def remove(self, installed: Installed) -> None:
        """A rule that was put copies no more."""
        del self._rules[installed.rule.forwarding.rule_id]
        self._index.remove(installed.rule)

    def of(self, flow: Flow) -> list[Tap]:
        """The copies that are made of a flow, the first priority first.

        A rule with FLOW copies both directions of a flow that it describes, one with PACKET those that it describes.
        """
        if not self._rules:
            return []
        device, dialled = (flow.src_address, flow.src_port), (flow.dst_address, flow.dst_port)
        up = {rule.forwarding.rule_id: rule for rule in self._describing(device, dialled, flow.protocol)}
        down = {rule.forwarding.rule_id: rule for rule in self._describing(dialled, device, flow.protocol)}
        found = []
        for rule_id, rule in {**up, **down}.items():
            both = rule.forwarding.filter_type is FilterType.FLOW
            if both and rule_id not in up:
                continue
            found.append(
                Tap(
                    by=self._rules[rule_id],
                    up=_way(rule, flow.src_address, flow.dst_port, core=False) if rule_id in up else None,
                    down=_way(rule, flow.dst_address, flow.dst_port, core=True) if both or rule_id in down else None,
                )
            )
        return found

    @property
    def any(self) -> bool:
        """Whether a rule copies anything."""
        return bool(self._rules)

    @property
    def sockets(self) -> int:
        """How many carry copies now."""
        return len(self._own)

    def has_room(self) -> bool:
        """Whether one more copy may be made."""
        return self._room()

    def begin(self, protocol: str, source: Socket, target: Socket, cut: Callable[[], None]) -> None:
        """A socket of this data plane carries copies until it is cut, or ends."""
        self._own[protocol, source, target] = cut

    def end(self, protocol: str, source: Socket, target: Socket) -> None:
        """It carries them no more."""
        self._own.pop((protocol, source, target), None)

    def close(self) -> None:
        """Cut what is still on its way."""
        for cut in list(self._own.values()):
            cut()

    def is_own(self, source: Socket, endpoint: Endpoint) -> bool:
        """Whether what dials an endpoint is a copy made here: taken for a flow, it would be copied again."""
        return bool(self._own) and (endpoint.protocol, source, (endpoint.address, endpoint.port)) in self._own

    def _describing(self, source: Socket, target: Socket, protocol: str) -> Iterator[Rule]:
        key = flow_key(*source, *target, protocol)
        candidates = self._index.candidates(source[0], Endpoint(protocol, *target))
        return (rule for rule in candidates if rule.takes(key))


def _way(rule: Rule, source: str, dialled_port: int, *, core: bool) -> Way:
    address, port = rule.target(dialled_port)
    core_address = rule.forwarding.core_address
    return Way(source, (address if isinstance(core_address, Absent) or not core else core_address, port))
