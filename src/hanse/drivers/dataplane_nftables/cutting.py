"""Which flows end when a rule changes: those alone that its new form would not carry to the same place."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

import msgspec

from hanse.drivers.dataplane_nftables import conntrack
from hanse.drivers.dataplane_nftables.conntrack import Tracked
from hanse.drivers.dataplane_nftables.rules import Rule
from hanse.refpoints.mp2 import Flow, Forwarding
from hanse.refpoints.mp2.protocols import protocol_number


def cut_changed(namespace: str, before: Rule, after: Rule) -> None:
    """Forget the flows of a rule as it was before, as far as the change means them."""
    same_number = before.mark == after.mark  # not if it was put in twice at once
    if same_number and _placed(before.forwarding) == _placed(after.forwarding):
        return
    doomed = None
    if same_number and _as(before.forwarding) == _as(after.forwarding):
        doomed = unfit([flow for flow in conntrack.flows(namespace) if flow.mark == before.mark], after)
    if doomed is None:
        conntrack.cut(namespace, before.mark)
    else:
        conntrack.forget(namespace, doomed)


def unfit(flows: Iterable[Tracked], rule: Rule) -> list[Tracked] | None:
    """Those that a rule does not describe; ``None`` if that cannot be told.

    A rule that asks for more than addresses, protocol and ports asks for what the table of flows does not know.
    """
    if not all(piece.plain for piece in rule.pieces):
        return None
    return [tracked for tracked in flows if not _describes(rule, tracked.flow)]


def _describes(rule: Rule, flow: Flow) -> bool:
    source, target = ip_address(flow.src_address), ip_address(flow.dst_address)
    protocol = protocol_number(flow.protocol, "protocol")
    point = (int(source), int(target), protocol, flow.src_port, flow.dst_port)
    return any(box.version == source.version and box.contains(*point) for p in rule.pieces for box in p.boxes)


def _placed(forwarding: Forwarding) -> Forwarding:
    """A forwarding without its place among others."""
    return msgspec.structs.replace(forwarding, priority=0)


def _as(forwarding: Forwarding) -> Forwarding:
    """What it does, with whatever it describes."""
    return msgspec.structs.replace(forwarding, priority=0, matches=())
