"""What a platform manager asks of its platform, and what the platform tells it.

The standard names the exchange (ETSI GS MEC 003, 7.2.2; ETSI GS MEC 011 V3.1.1, 5.2.2 and 5.2.3) and gives no payload.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hanse.kit.contract.declare import Api, get, post, put
from hanse.kit.values import ABSENT, Absent, Value
from hanse.model.descriptor.services import ServiceDependency, ServiceDescriptor
from hanse.model.descriptor.traffic import DNSRuleDescriptor, TrafficRuleDescriptor
from hanse.refpoints.mm3.management import ALL_OF_A_HOST, FoundService, PlatformReport, ServiceWanted
from hanse.refpoints.mp1.support import OperationAction


class ConflictPolicy(StrEnum):
    """What becomes of a traffic rule that wants packets of another app's at equal priority (MEC 003, 7.1.4.3).

    ``refuse`` it, or let the ``earlier`` keep them: the later one gets the next priority at which nobody has them.
    """

    REFUSE = "refuse"
    EARLIER = "earlier"


class AppConfiguration(Value):
    """An app as its platform must know it before it starts (ConfigPlatformForAppRequest, MEC 010-2 6.2.2.21).

    ``address`` is the instance's own; a rule that names the unspecified address 0.0.0.0 as destination means it.
    ``storage`` is the size in bytes of the volume that it asks for; 0 for none. ``conflicts`` is the manager's policy.
    """

    app_instance_id: str
    app_d_id: str
    app_name: str
    app_provider: str
    tenant: str
    address: str
    port: int
    traffic_rules: tuple[TrafficRuleDescriptor, ...] = ()
    dns_rules: tuple[DNSRuleDescriptor, ...] = ()
    services_required: tuple[ServiceDependency, ...] = ()
    services_optional: tuple[ServiceDependency, ...] = ()
    services_produced: tuple[ServiceDescriptor, ...] = ()
    storage: int = 0
    conflicts: ConflictPolicy = ConflictPolicy.REFUSE


class AppAccess(Value):
    """What an app needs to speak with its platform; the certificate of the platform's authority is PEM text.

    ``volume`` is the path of its persistent storage on the host, empty if it asked for none.
    """

    platform_url: str
    token_url: str
    client_id: str
    client_secret: str
    authority: str
    volume: str = ""


class AppPhase(StrEnum):
    """Where an app stands with its platform."""

    CONFIGURED = "CONFIGURED"
    READY = "READY"
    TERMINATING = "TERMINATING"
    STOPPING = "STOPPING"
    CONFIRMED = "CONFIRMED"


class VolumeStanding(Value):
    """The size of an app's volume and what its files take, both in bytes; the latter is looked at every few seconds."""

    size: int
    used: int

    @property
    def exceeded(self) -> bool:
        """Whether more is used than was asked for."""
        return self.used > self.size


class AppStanding(Value):
    """An app's phase; ``listens`` tells whether it asked to be told of its termination, ``volume`` how full that is."""

    app_instance_id: str
    phase: AppPhase
    listens: bool
    volume: VolumeStanding | Absent = ABSENT


class StandingQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Wait until the app is in ``phase``, at most ``wait`` seconds (at most 10)."""

    phase: AppPhase = AppPhase.READY
    wait: float = 0.0


class GracefulEnd(Value):
    """Tell the app that it will be ended, and in how many seconds at the latest."""

    action: OperationAction
    timeout: int


class PlatformConfiguration(Api, bases=("/mm5/v1",)):
    """The platform's side of an app's life; every operation is idempotent by instance id."""

    @put("/applications/{app_instance_id}")
    async def configure(self, app_instance_id: str, configuration: AppConfiguration) -> AppAccess:
        """Make the app known: it may get tokens and confirm ready; its rules are there and not yet carried out.

        409 if one of them conflicts with a rule of another app and the policy refuses; then it is not known.
        """

    @get("/applications/{app_instance_id}/standing")
    async def standing(self, app_instance_id: str, query: StandingQuery) -> AppStanding:
        """Where the app stands, after waiting for a phase if asked to."""

    @post("/applications/{app_instance_id}/activate", success=204)
    async def activate(self, app_instance_id: str) -> None:
        """Carry out the app's rules from now on: it runs normally (ETSI GS MEC 010-2 V3.1.1, 5.3.1)."""

    @post("/applications/{app_instance_id}/announce_end", success=204)
    async def announce_end(self, app_instance_id: str, end: GracefulEnd) -> None:
        """Tell the app that it will be stopped or terminated (ETSI GS MEC 011 V3.1.1, 5.2.3, step 4)."""

    @post("/applications/{app_instance_id}/deactivate", success=204)
    async def deactivate(self, app_instance_id: str) -> None:
        """Withdraw its rules, services and subscriptions; it stays known (ETSI GS MEC 011 V3.1.1, 5.2.3, step 7)."""

    @post("/applications/{app_instance_id}/forget", success=204)
    async def forget(self, app_instance_id: str) -> None:
        """Deactivate it, refuse its tokens, and keep nothing of it; an unknown one is no error."""


class ManagerLookup(Api, bases=("/mm5/v1",)):
    """What a platform asks of and reports to its manager."""

    @get("/services")
    async def find_service(self, query: ServiceWanted) -> list[FoundService]:
        """Services outside of the host (ETSI GR MEC 035, 6.5.2, step 2)."""

    @put("/hosts/{host}/services", success=204, largest=ALL_OF_A_HOST)
    async def report_services(self, host: str, report: PlatformReport) -> None:
        """What the platform offers now; passed on to the orchestrator."""
