"""Application lifecycle management (ETSI GS MEC 010-2 V3.1.1, 7.4)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from hanse.kit.contract.declare import Accepted, Api, Created, delete, get, post
from hanse.kit.contract.listing import Lists
from hanse.kit.problems import ProblemDetails
from hanse.kit.values import ABSENT, Absent, Link, TimeStamp, Value


class InstantiationState(StrEnum):
    """Whether resources are there for the instance (6.2.2.4)."""

    NOT_INSTANTIATED = "NOT_INSTANTIATED"
    INSTANTIATED = "INSTANTIATED"


class OperationalState(StrEnum):
    """Whether an instantiated app runs (6.2.2.4)."""

    STARTED = "STARTED"
    STOPPED = "STOPPED"


class OperationState(StrEnum):
    """States of an operation occurrence (6.2.2.13)."""

    STARTING = "STARTING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED_TEMP = "FAILED_TEMP"
    FAILED = "FAILED"


class LcmOperation(StrEnum):
    """Operations on an instance (6.2.2.13)."""

    INSTANTIATE = "INSTANTIATE"
    OPERATE = "OPERATE"
    TERMINATE = "TERMINATE"


class StopType(StrEnum):
    """FORCEFUL: at once; GRACEFUL: the app is told and given time (6.2.2.8, 6.2.2.9)."""

    FORCEFUL = "FORCEFUL"
    GRACEFUL = "GRACEFUL"


class CreateAppInstanceRequest(Value):
    """A wish for an identifier of an instance (6.2.2.3)."""

    app_d_id: str = msgspec.field(name="appDId")
    app_instance_name: str | Absent = ABSENT
    app_instance_description: str | Absent = ABSENT


class InstantiatedAppState(Value):
    """State of an app that has resources (6.2.2.4)."""

    operational_state: OperationalState


class InstanceLinks(Value):
    """Links of an instance; the task links follow its state (6.2.2.4)."""

    self: Link
    instantiate: Link | Absent = ABSENT
    terminate: Link | Absent = ABSENT
    operate: Link | Absent = ABSENT


class AppInstanceInfo(Value):
    """An application instance (6.2.2.4)."""

    id: str
    app_d_id: str = msgspec.field(name="appDId")
    app_provider: str
    app_name: str
    app_soft_version: str
    app_d_version: str = msgspec.field(name="appDVersion")
    app_pkg_id: str
    instantiation_state: InstantiationState
    links: InstanceLinks = msgspec.field(name="_links")
    app_instance_name: str | Absent = ABSENT
    app_instance_description: str | Absent = ABSENT
    instantiated_app_state: InstantiatedAppState | Absent = ABSENT


class LocationConstraints(Value):
    """Where an instance may be: a country (ISO 3166), finer civic elements, or an area in GeoJSON (6.2.2.2)."""

    country_code: str | Absent = ABSENT
    civic_address_element: tuple[dict[str, Any], ...] | Absent = ABSENT
    area: dict[str, Any] | Absent = ABSENT


class MECHostInformation(Value, rename=None):
    """A host; its id is an object that we fill with one key, ``name`` (6.2.2.17)."""

    hostId: dict[str, Any]  # noqa: N815
    hostName: str | Absent = ABSENT  # noqa: N815


class InstantiateAppRequest(Value):
    """How to instantiate (6.2.2.7); on Mm1 an empty object is enough, the host is chosen by the orchestrator.

    What overrides the descriptor, and what belongs to direct mode or coordination, is known to be refused by its name.
    """

    selected_mec_host_info: tuple[MECHostInformation, ...] | Absent = msgspec.field(
        default=ABSENT, name="selectedMECHostInfo"
    )
    location_constraints: LocationConstraints | Absent = ABSENT
    virtual_compute_descriptor: dict[str, Any] | Absent = ABSENT
    os_container_descriptor: tuple[dict[str, Any], ...] | Absent = ABSENT
    virtual_storage_descriptor: tuple[dict[str, Any], ...] | Absent = ABSENT
    vim_connection_info: dict[str, Any] | Absent = ABSENT
    app_term_cands_for_coord: dict[str, Any] | Absent = ABSENT


class OperateAppRequest(Value):
    """Start or stop (6.2.2.8); a graceful stop needs a timeout in seconds, any other must not have one."""

    change_state_to: OperationalState
    stop_type: StopType | Absent = ABSENT
    graceful_stop_timeout: int | Absent = ABSENT


class TerminateAppRequest(Value):
    """End (6.2.2.9); the timeout in seconds goes only with GRACEFUL, which without it waits for the app."""

    termination_type: StopType
    graceful_termination_timeout: int | Absent = ABSENT


class OperationLinks(Value):
    """Links of an operation occurrence (6.2.2.13)."""

    self: Link
    app_instance: Link


class AppLcmOpOcc(Value):
    """An operation occurrence (6.2.2.13). ``error`` is ours: why it failed."""

    id: str
    operation_state: OperationState
    state_entered_time: TimeStamp
    start_time: TimeStamp
    lcm_operation: LcmOperation
    links: OperationLinks = msgspec.field(name="_links")
    operation_params: dict[str, Any] | Absent = ABSENT
    error: ProblemDetails | Absent = ABSENT


INSTANCES = Lists(left_out=("_links/instantiate", "_links/terminate", "_links/operate"))
"""What a list of instances leaves out by default (7.4.1.3.2); vimConnectionInfo, which it names too, we have none."""

OCCURRENCES = Lists(left_out=("operationParams", "_links"))
"""What a list of operation occurrences leaves out by default (7.4.9.3.2)."""

TASK = (400, 401, 403, 404, 409)


class Lifecycle(Api, bases=("/app_lcm/v1",)):
    """Lifecycle management (7.4): create, instantiate, operate, terminate, delete, and what became of it."""

    @post("/app_instances", refuses=(400, 401, 403, 404))
    async def create_instance(self, request: CreateAppInstanceRequest) -> Created[AppInstanceInfo]:
        """Make an identifier of an instance of an on-boarded, enabled package (7.4.1.3.1)."""

    @get("/app_instances", refuses=(400, 401, 403), lists=INSTANCES)
    async def list_instances(self) -> list[AppInstanceInfo]:
        """All instances of the caller (7.4.1.3.2)."""

    @get("/app_instances/{app_instance_id}")
    async def read_instance(self, app_instance_id: str) -> AppInstanceInfo:
        """One instance (7.4.2.3.2)."""

    @delete("/app_instances/{app_instance_id}", refuses=(401, 403, 404, 409))
    async def delete_instance(self, app_instance_id: str) -> None:
        """Delete the identifier of an instance that is not instantiated (7.4.2.3.4)."""

    @post("/app_instances/{app_instance_id}/instantiate", success=202, refuses=TASK)
    async def instantiate(self, app_instance_id: str, request: InstantiateAppRequest) -> Accepted:
        """Instantiate and start (7.4.6.3.1)."""

    @post("/app_instances/{app_instance_id}/terminate", success=202, refuses=TASK)
    async def terminate(self, app_instance_id: str, request: TerminateAppRequest) -> Accepted:
        """End it and release what it had (7.4.7.3.1)."""

    @post("/app_instances/{app_instance_id}/operate", success=202, refuses=TASK)
    async def operate(self, app_instance_id: str, request: OperateAppRequest) -> Accepted:
        """Start or stop it (7.4.8.3.1)."""

    @get("/app_lcm_op_occs", refuses=(400, 401, 403), lists=OCCURRENCES)
    async def list_operations(self) -> list[AppLcmOpOcc]:
        """All operation occurrences of the caller (7.4.9.3.2)."""

    @get("/app_lcm_op_occs/{app_lcm_op_occ_id}")
    async def read_operation(self, app_lcm_op_occ_id: str) -> AppLcmOpOcc:
        """One operation occurrence (7.4.10.3.2)."""
