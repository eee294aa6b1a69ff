"""What an app may make of its traffic rules: what it was granted, and what the operator allows (MEC 011, 7.2.8).

The standard lets *authorised* apps change rules and does not say within which limits; these are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec.structs import replace

from hanse.elements.mep.app_rules.destinations import OWN_ADDRESS, ethernet, plain
from hanse.elements.mep.app_rules.grants import Grants
from hanse.elements.mep.records import AppRecord
from hanse.kit.problems import Problem, forbidden
from hanse.kit.receivers import Receivers
from hanse.kit.values import Absent
from hanse.model.descriptor import traffic
from hanse.refpoints.mp1.support import DestinationInterface, RuleState, TrafficRule

SETTING = "rules.destinations"
MOST_WORDS = 8
"""So many of the granted values a refusal tells."""
_GIVEN = {"dstAddress": "dst_address", "dstPort": "dst_port", "protocol": "protocol", "srcAddress": "src_address"}


class Changes(StrEnum):
    """What a change may take: the packets that the app was ``granted``, or ``free``: any that no other app has."""

    GRANTED = "granted"
    FREE = "free"


@dataclass(frozen=True)
class RulePolicy:
    """``destinations`` are addresses that rules of any app may lead to; ``macs`` too, as `ethernet` writes them."""

    changes: Changes = Changes.GRANTED
    destinations: Receivers = field(default_factory=Receivers)
    macs: frozenset[str] = frozenset()


def gives_up(before: TrafficRule, rule: TrafficRule) -> bool:
    """Whether nothing changes but that the rule takes less: that needs no grant."""
    same = replace(before, state=rule.state) == rule
    return same and rule.state in (before.state, RuleState.INACTIVE)


class Limits:
    """Holds changes against the grant; all refusals are 403, name the attribute and say what would be right."""

    def __init__(self, grants: Grants, policy: RulePolicy) -> None:
        self._grants = grants
        self._policy = policy

    def check(self, app: AppRecord, rule: TrafficRule) -> None:
        """Whether the app may have this rule, as far as others do not come into it."""
        for place, interface in enumerate(rule.dst_interface):
            self._check_interface(app, interface, f"dstInterface[{place}]")
        if self._policy.changes is Changes.GRANTED:
            for place, wanted in enumerate(rule.traffic_filter):
                attribute = self._grants.outside(app.app_instance_id, wanted)
                if attribute is not None:
                    raise _beyond(app, attribute, f"trafficFilter[{place}]")

    def _leads_to(self, app: AppRecord, address: str) -> bool:
        """Whether devices may be led there: to the app itself, where its grant leads them, or where all may."""
        if address == OWN_ADDRESS or self._policy.destinations.takes(address, app.configuration.address):
            return True
        wanted = plain(address)
        return any(wanted == plain(given) for each in _interfaces(app) for given in _addresses(each))

    def _check_interface(self, app: AppRecord, interface: DestinationInterface, path: str) -> None:
        for name, address in _named(interface):
            if not self._leads_to(app, address):
                own = f"your own address ({app.configuration.address}, or {OWN_ADDRESS})"
                right = f"{own}, one that your descriptor's rules lead to, or one that the operator allows ({SETTING})"
                raise not_allowed(f"{path}.{name}", f"{right}; got {address}")
        for name, card in (("dst", interface.dst_mac_address), ("src", interface.src_mac_address)):
            if isinstance(card, str) and ethernet(card) not in self._policy.macs | _macs(app):
                right = f"an address that your descriptor's rules name, or one that the operator allows ({SETTING})"
                raise not_allowed(f"{path}.{name}MacAddress", f"{right}; got {card}")


def _named(interface: DestinationInterface) -> Iterator[tuple[str, str]]:
    """The IP addresses of an interface; the near end of a tunnel may be the data plane's, which is 0.0.0.0."""
    if isinstance(interface.dst_ip_address, str):
        yield "dstIpAddress", interface.dst_ip_address
    if isinstance(tunnel := interface.tunnel_info, Absent):
        return
    for name, end in (("tunnelDstAddress", tunnel.tunnel_dst_address), ("tunnelSrcAddress", tunnel.tunnel_src_address)):
        if isinstance(end, str):
            yield f"tunnelInfo.{name}", end


def _interfaces(app: AppRecord) -> Iterator[traffic.InterfaceDescriptor]:
    return (interface for rule in app.configuration.traffic_rules for interface in rule.dst_interface)


def _addresses(interface: traffic.InterfaceDescriptor) -> Iterator[str]:
    if isinstance(interface.dst_ip_address, str):
        yield interface.dst_ip_address
    if not isinstance(interface.tunnel_info, Absent):
        yield from (interface.tunnel_info.tunnel_dst_address, interface.tunnel_info.tunnel_src_address)


def _macs(app: AppRecord) -> frozenset[str]:
    named = ((each.dst_mac_address, each.src_mac_address) for each in _interfaces(app))
    return frozenset(ethernet(address) for pair in named for address in pair if isinstance(address, str))


def _beyond(app: AppRecord, attribute: str, path: str) -> Problem:
    filters = [each for rule in app.configuration.traffic_rules for each in rule.traffic_filter]
    given = dict.fromkeys(text for each in filters for text in getattr(each, _GIVEN[attribute]))
    words = ", ".join([*given][:MOST_WORDS]) + (", …" if len(given) > MOST_WORDS else "")
    right = f"within what your descriptor's rules take together ({words or 'no rule names one'})"
    return not_allowed(f"{path}.{attribute}", f"{right}; an attribute that is left out takes everything")


def not_allowed(path: str, detail: str) -> Problem:
    """A problem 403 that names an attribute, and says what it may be."""
    return forbidden(f"Not allowed: {path}", detail)
