"""To which host a device is led that asks for a name: the operator's policy, the same from the portal to the platforms.

The standard names the duty (ETSI GS MEC 003, 7.1.2: traffic and DNS configured by the platform manager on the MEC
platform; ETSI GS MEC 002, Routing and DNS support) and gives no payload.
"""

from __future__ import annotations

from hanse.kit.contract.declare import Api, delete, get, put
from hanse.kit.values import ABSENT, Absent, Value
from hanse.model.place import Zone


class Target(Value):
    """One place where devices find what a name stands for: at ``address`` (IPv4 or IPv6), served by ``host``.

    ``zone`` is where the host stands; the orchestrator, which knows that, fills it in.
    """

    host: str
    address: str
    zone: Zone | Absent = ABSENT


class Preference(Value):
    """Devices that are led ``to`` a host, whatever is nearer to them; one of the three must name a device.

    ``devices`` are devices of the operator by name, or any by IP address; ``subnets`` networks like ``10.1.0.0/16``;
    ``zones`` those in which a device is served.
    """

    to: str
    devices: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


class SteeringPolicy(Value):
    """Where a name leads: of the ``targets``, the first preference that means the device decides, then nearness.

    With ``app`` (an appName) only targets count on whose host an instance of it is STARTED. ``ttl`` in seconds is
    how long an answer may be kept, hence how soon a change is felt.
    """

    name: str
    targets: tuple[Target, ...]
    preferences: tuple[Preference, ...] = ()
    ttl: int = 5
    app: str | Absent = ABSENT


class SteeringPolicies(Api, bases=("/steering/v1",)):
    """Policies by their names, full domain names without final dot; every operation is idempotent."""

    @put("/names/{name}", success=204)
    async def set_policy(self, name: str, policy: SteeringPolicy) -> None:
        """Lead devices by this policy from now on; 400 names what is wrong, or what a name server here cannot do."""

    @delete("/names/{name}")
    async def remove_policy(self, name: str) -> None:
        """Lead nobody by it any more; an unknown name is no error."""

    @get("/names")
    async def list_policies(self) -> list[SteeringPolicy]:
        """All policies in force, in the order of their names."""
