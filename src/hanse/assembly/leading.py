"""Where names lead, as the configuration of an operator says it."""

from __future__ import annotations

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
    """

    targets: dict[str, str]
    preferences: tuple[PreferenceSettings, ...] = ()
    ttl: int = 5
    app: str = ""

    def policy(self, name: str) -> SteeringPolicy:
        """As the orchestrator takes it."""
        return SteeringPolicy(
            name=name,
            targets=tuple(Target(host=host, address=address) for host, address in self.targets.items()),
            preferences=tuple(
                Preference(to=p.to, devices=p.devices, subnets=p.subnets, zones=p.zones) for p in self.preferences
            ),
            ttl=self.ttl,
            app=self.app or ABSENT,
        )

    def checks(self, name: str) -> list[Check]:
        """What must hold of the values."""
        try:
            check_policy(name, self.policy(name))
        except Problem as problem:
            return [(f'steering."{name}"', f"{problem.title}: {problem.detail}", False)]
        return []
