"""The ground and the rules of data planes under measurement."""

from __future__ import annotations

import msgspec

from hanse.drivers.dataplane_nftables import AccessNetwork, Site
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch

VIRTUAL, APP, PORT = "10.66.0.1", "10.65.1.3", 18080


def relayed(virtual: str, app: str, rules: int) -> list[Forwarding]:
    """So many rules of an application that admit a device each, the one that is measured among them."""
    found = [admitting(f"r{n}", f"127.9.{n // 250}.{n % 250 + 1}", virtual, app) for n in range(rules - 1)]
    return [*found, admitting("measured", "127.0.0.1", virtual, app)]


def admitting(rule_id: str, device: str, virtual: str, app: str) -> Forwarding:
    """A device that dials the virtual address reaches the application."""
    found = forwarding(rule_id, virtual, app)
    match = msgspec.structs.replace(found.matches[0], src_address=(device,))
    return msgspec.structs.replace(found, matches=(match,))


def site(name: str) -> Site:
    """A host with one access network."""
    return Site(
        name=name,
        own=("10.65.0.1/24",),
        home=("10.65.0.2/24",),
        apps=("10.65.1.0/24",),
        access=(AccessNetwork("cells", ("10.64.1.1/24",)),),
    )


def forwarding(rule_id: str, virtual: str, app: str) -> Forwarding:
    """Who dials the virtual address reaches the application."""
    return Forwarding(
        rule_id=rule_id,
        owner="bench",
        priority=10,
        filter_type=FilterType.FLOW,
        matches=(TrafficMatch(dst_address=(virtual,), dst_port=(str(PORT),), protocol=("tcp",)),),
        action=Action.FORWARD_DECAPSULATED,
        to_address=app,
        to_port=PORT,
    )
