"""Mp1, liveness of services: producers that send heartbeats (ETSI GS MEC 011 V3.1.1, 8.1.2.4, 8.1.2.5 and 8.2.10)."""

from __future__ import annotations

from enum import StrEnum

from hanse.kit.contract.declare import Api, Tagged, get, patch
from hanse.kit.values import TimeStamp, Value


class ServiceState(StrEnum):
    """ACTIVE, INACTIVE by its producer's word; SUSPENDED by the platform (8.1.6.6)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    SUSPENDED = "SUSPENDED"


class ServiceLivenessInfo(Value):
    """When a service was last heard of; ``interval``: seconds in which it must be heard again (8.1.2.4)."""

    state: ServiceState
    time_stamp: TimeStamp
    interval: int


class ServiceLivenessUpdate(Value):
    """A heartbeat: ``state`` is ACTIVE, anything else is refused (8.1.2.5)."""

    state: ServiceState


class ServiceLiveness(Api, bases=("/mec_service_mgmt/v1",)):
    """Heartbeats. The URI is the platform's choice: producers learn it from ``_links.liveness`` alone (8.2.10.2)."""

    @get("/applications/{app_instance_id}/services/{service_id}/liveness")
    async def read_liveness(self, app_instance_id: str, service_id: str) -> Tagged[ServiceLivenessInfo]:
        """When the service was last heard of (8.2.10.3.1)."""

    @patch(
        "/applications/{app_instance_id}/services/{service_id}/liveness",
        refuses=(400, 401, 403, 404, 409, 412),
        consumes="application/json application/merge-patch+json",
    )
    async def send_heartbeat(
        self, app_instance_id: str, service_id: str, heartbeat: ServiceLivenessUpdate
    ) -> Tagged[ServiceLivenessInfo] | None:
        """The service is alive; 200 tells a new interval; 409 while its producer has it INACTIVE (8.2.10.3.3)."""
