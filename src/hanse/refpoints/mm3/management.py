"""What the orchestrator and a platform manager tell each other besides lifecycle and granting.

The standard names these exchanges (ETSI GS MEC 003, 7.1.4; ETSI GR MEC 035, 6.5.2, steps 2 and 3) and gives no payload.
"""

from __future__ import annotations

import msgspec

from hanse.kit.contract.declare import Api, get, post, put
from hanse.kit.values import ABSENT, Absent, Value
from hanse.model.descriptor.application import AppD
from hanse.model.place import Position
from hanse.refpoints.mm1.lifecycle import AppLcmOpOcc
from hanse.refpoints.mp1.services import LocalityType, ServiceState

ALL_OF_A_HOST = 64 * 1024 * 1024
"""Bytes in which all services of a host are told of: what one app adds to them must not silence its platform."""


class Assignment(Value):
    """An instance that the orchestrator gives to a host: what it is, and the image that the host's VIM has for it."""

    app_instance_id: str
    tenant: str
    app_pkg_id: str
    descriptor: AppD
    image_id: str


class InstanceAssignment(Api, bases=("/mm3/v1",)):
    """Instances come to a platform manager and leave it; both are idempotent by instance id."""

    @put("/assignments/{app_instance_id}", success=204)
    async def assign(self, app_instance_id: str, assignment: Assignment) -> None:
        """Take charge of an instance; nothing runs yet."""

    @post("/assignments/{app_instance_id}/release", success=204, refuses=(403, 404, 409))
    async def release(self, app_instance_id: str) -> None:
        """Forget an instance that has no resources; an unknown one is no error."""


REPORT_PERIOD = 2.0
"""Seconds between two reports of a platform on which nothing changes: they say that it lives."""


class OfferedService(Value):
    """A service as its platform reports it upwards; ``endpoint`` stays inside the system."""

    ser_instance_id: str
    ser_name: str
    version: str
    state: ServiceState
    serializer: str
    scope_of_locality: LocalityType
    consumed_local_only: bool
    app_instance_id: str
    tenant: str
    transport_type: str = "REST_HTTP"
    transport_version: str = "1.1"


class PlatformReport(Value):
    """All services that a host's platform has now; ``sequence`` tells a newer report from an older one.

    ``redirectors`` are the URLs at which the host leads devices by HTTP redirection.
    """

    host: str
    sequence: int
    services: tuple[OfferedService, ...]
    redirectors: tuple[str, ...] = ()


class ServiceWanted(msgspec.Struct, frozen=True, kw_only=True):
    """A service that is looked for. ``latitude`` and ``longitude`` say where the device is that will use it."""

    ser_name: tuple[str, ...] | Absent = ABSENT
    latitude: float | Absent = ABSENT
    longitude: float | Absent = ABSENT

    def position(self) -> Position | None:
        """Where the device is, if it was told."""
        if isinstance(self.latitude, float) and isinstance(self.longitude, float):
            return Position(latitude=self.latitude, longitude=self.longitude)
        return None


class FoundService(Value):
    """A service elsewhere.

    ``system`` is the partner that offers it, empty for the own system; ``reference`` is its name there: the partner's
    for it, or ``host/serInstanceId``.
    """

    system: str
    reference: str
    ser_name: str
    version: str
    state: ServiceState
    serializer: str
    transport_type: str
    transport_version: str
    zone: str


class SystemView(Api, bases=("/mm3/v1",)):
    """What a platform manager asks of and reports to the orchestrator."""

    @get("/services")
    async def find_service(self, query: ServiceWanted) -> list[FoundService]:
        """Services outside of the host: in the system or in the federation (ETSI GR MEC 035, 6.5.2, step 3)."""

    @put("/hosts/{host}/services", success=204, largest=ALL_OF_A_HOST)
    async def report_services(self, host: str, report: PlatformReport) -> None:
        """What the host's platform offers now; an older report than the last is ignored, the same is a sign of life."""

    @post("/operations", success=204)
    async def operation_changed(self, operation: AppLcmOpOcc) -> None:
        """An operation occurrence entered another state (ETSI GS MEC 010-2 V3.1.1, 6.2.2.16, between our elements)."""

    @post("/app_instances/{app_instance_id}/ended", success=204)
    async def instance_ended(self, app_instance_id: str) -> None:
        """The app of an instance ended by itself: it is STOPPED, and keeps its resources."""
