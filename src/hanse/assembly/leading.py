"""Where names lead, as the configuration of an operator says it."""

from __future__ import annotations

from ipaddress import ip_address

from hanse.assembly.limits import Check
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT, Value
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target, check_policy


class PreferenceSettings(Value, forbid_unknown_fields=True, rename={}):
    """Devices (names or addresses), subnets and zones that are led ``to`` a host, whatever is nearer."""

    to: str
    devices: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


class SteeringSettings(Value, forbid_unknown_fields=True, rename={}):
    """``[steering."video.example.com"]``: the address at each host to which the name may lead, and who goes where.

    ``ttl``: seconds that an answer may be kept. With ``app`` only hosts count on which that app is started.
    ``locations``: where HTTP redirection leads at a host, if not to its address.
    """

    targets: dict[str, str]
    locations: dict[str, str] = {}
    preferences: tuple[PreferenceSettings, ...] = ()
    ttl: int = 5
    app: str = ""

    def policy(self, name: str) -> SteeringPolicy:
        """As the orchestrator takes it."""
        return SteeringPolicy(
            name=name,
            targets=tuple(
                Target(host=host, address=address, location=self.locations.get(host, ABSENT))
                for host, address in self.targets.items()
            ),
            preferences=tuple(
                Preference(to=p.to, devices=p.devices, subnets=p.subnets, zones=p.zones) for p in self.preferences
            ),
            ttl=self.ttl,
            app=self.app or ABSENT,
        )

    def checks(self, name: str) -> list[Check]:
        """What must hold of the values."""
        nowhere = [host for host in self.locations if host not in self.targets]
        if nowhere:
            known = ", ".join(self.targets) or "none"
            return [(f'steering."{name}".locations', f"hosts of its targets ({known}), not {nowhere[0]}", False)]
        try:
            check_policy(name, self.policy(name))
        except Problem as problem:
            return [(f'steering."{name}"', f"{problem.title}: {problem.detail}", False)]
        return []


class RedirectionSettings(Value, forbid_unknown_fields=True, rename={}):
    """``[hosts.X.redirection]``: where devices are led by HTTP redirection.

    ``port`` takes HTTP, ``tls_port`` HTTPS with a certificate of the operator's authority for the names that are led;
    0: not offered.
    """

    address: str
    port: int = 8480
    tls_port: int = 0

    def ports(self) -> dict[str, int]:
        """The port of each scheme that is offered."""
        return {scheme: port for scheme, port in (("http", self.port), ("https", self.tls_port)) if port}

    def urls(self) -> tuple[str, ...]:
        """Where it is."""
        place = f"[{self.address}]" if ":" in self.address else self.address
        return tuple(f"{scheme}://{place}:{port}" for scheme, port in self.ports().items())

    def checks(self, table: str) -> list[Check]:
        """What must hold of the values of a table."""
        ports = (self.port, self.tls_port)
        return [
            (f"{table}.address", "one IP address of the host", _is_one_address(self.address)),
            (f"{table}.port", "0 for no HTTP, or 1 to 65535", 0 <= self.port <= 65535),
            (f"{table}.tls_port", "0 for no HTTPS, or 1 to 65535", 0 <= self.tls_port <= 65535),
            (f"{table}.tls_port", "another port than port, and one of both at least", ports[0] != ports[1]),
        ]


def _is_one_address(text: str) -> bool:
    try:
        return not ip_address(text).is_unspecified
    except ValueError:
        return False
