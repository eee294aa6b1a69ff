"""HTTP redirection: whereto a request for a steered name is led, at the host that `choose` finds for its device.

The answer leads nowhere but to what a policy of the operator or a DNS rule of an app of this host names.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Hashable, Iterator, Sequence
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from hanse.elements.mep.app_rules.rules import names
from hanse.elements.mep.records import AppRecord, Records
from hanse.elements.mep.steering.choice import Asker, choose
from hanse.elements.mep.steering.devices import Devices
from hanse.elements.mep.steering.redirection_request import Request, is_name, wanted
from hanse.kit.problems import Problem, not_found
from hanse.kit.store import Index
from hanse.refpoints.mm1.steering import SteeringPolicy, Target
from hanse.refpoints.mp1.support import RuleState
from hanse.refpoints.mp2 import Action
from hanse.refpoints.mp2.protocols import spelt_alike

_UNSAFE = re.compile(rb"[^\x21-\x22\x24-\x7e]")
"""All but printable ASCII, and ``#``: what follows one would be the client's own fragment."""


class Place(NamedTuple):
    """Where an active DNS rule leads: an address, and the port that the traffic rules of its app open there."""

    address: str
    port: int | None


class Redirection:
    """Leads by the records of the platform as they stand at each request: by the same that names are answered by.

    Where the rules of apps lead is worked out when an app changes; a request looks at the places of its name alone.
    ``zones`` are those that the host answers for; ``changed`` is set when other names may be led than before.
    """

    def __init__(self, host: str, records: Records, devices: Devices, zones: Sequence[str] = ()) -> None:
        self._host = host
        self._records = records
        self._places: Index[AppRecord, tuple[Place, ...]] = Index(records.apps, places_of)
        self._devices = devices
        self._zones = tuple(_plain(zone) for zone in zones)
        self.changed = asyncio.Event()

    def location(self, request: Request) -> str:
        """The URL for the ``Location`` of a 307.

        Refusals of `wanted`; 404: the name is not led by this host; 421: its app is reached by plain HTTP only, and
        the request came by TLS; 503: none of its targets is there now.
        """
        name, rest = wanted(request)
        target = self._target(name, request)
        base = base_of(target, request.scheme)
        if request.scheme == "https" and not base.startswith("https://"):
            raise Problem(421, f"{name} is not led by https", f"come by http: {target.host} is reached by nothing else")
        return location(base, rest)

    def certified(self) -> list[str]:
        """Names for which a certificate may stand: those of policies, and of DNS rules in zones of this host.

        A rule of an app for a name of others, which the operator never named, makes no certificate for it.
        """
        policies = {policy.name for policy in self._records.policies.values()}
        rules = {_plain(record.name) for app in self._records.apps.values() for record in names(app)}
        return sorted(name for name in policies | {rule for rule in rules if self._ours(rule)} if is_name(name))

    def _ours(self, name: str) -> bool:
        return any(name == zone or name.endswith(f".{zone}") for zone in self._zones)

    def _target(self, name: str, request: Request) -> Target:
        policy = self._records.policies.find(name)
        device = self._devices.at(_mapped(request.peer))
        target = (choose(policy, device) if policy else None) or choose(self._of_apps(name, request, device), device)
        if target is not None:
            return target
        if policy is None:
            raise not_found("name", f"{name} that is led by HTTP redirection")
        after = {"Retry-After": str(max(1, policy.ttl))}
        raise Problem(503, f"{name} is nowhere now", "no host has its app: come again", after)

    def _of_apps(self, name: str, request: Request, device: Asker) -> SteeringPolicy:
        """Rules of apps as a policy: addresses of the family by which the device came go first."""
        targets = sorted(
            self._by_rules(name, request.scheme), key=lambda t: (":" in t.address) != (":" in device.address)
        )
        return SteeringPolicy(name=name, targets=tuple(targets))

    def _by_rules(self, name: str, scheme: str) -> Iterator[Target]:
        """Where rules of apps of this host lead."""
        for places in self._places.values(name):
            for address, port in places:
                base = f"{scheme}://{_bracketed(address)}"
                yield Target(host=self._host, address=address, location=f"{base}:{port}" if port else base)


def base_of(target: Target, scheme: str) -> str:
    """Scheme and authority of a target: its own, or its address with the scheme of the request."""
    return target.location if isinstance(target.location, str) else f"{scheme}://{_bracketed(target.address)}"


def location(base: str, rest: bytes) -> str:
    """Path and query below a base, byte for byte; what no header may hold is percent-encoded."""
    return base + _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], rest).decode("ascii")


def places_of(app: AppRecord) -> dict[Hashable, tuple[Place, ...]]:
    """Where the active DNS rules of an app lead, by name."""
    found: dict[Hashable, tuple[Place, ...]] = {}
    for record in names(app):
        if isinstance(record.address, str):
            name = _plain(record.name)
            found[name] = (*found.get(name, ()), Place(record.address, port_at(app, record.address)))
    return found


def port_at(app: AppRecord, address: str) -> int | None:
    """The one TCP port at which rules in force let devices in to an address; ``None`` if they name none or several."""
    ports = {
        port
        for rule in app.traffic_rules
        if rule.state is RuleState.ACTIVE and rule.action is Action.FORWARD_DECAPSULATED
        for match in rule.traffic_filter
        if address in (match.dst_address or ()) and _takes_tcp(match.protocol or ())
        for port in match.dst_port or ()
    }
    only = ports.pop().strip() if len(ports) == 1 else ""
    return int(only) if only.isdecimal() else None


def _takes_tcp(protocols: Sequence[str]) -> bool:
    return not protocols or "tcp" in spelt_alike(protocols)


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _mapped(peer: str) -> str:
    """An IPv4 address that came by an IPv6 socket, as itself."""
    try:
        found = ip_address(peer)
    except ValueError:
        return peer
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else peer
