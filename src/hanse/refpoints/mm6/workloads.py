"""What a platform manager asks of a VIM: resources for an instance, and that it run in them."""

from __future__ import annotations

from hanse.kit.contract.declare import Api, delete, get, post, put
from hanse.kit.values import ABSENT, Absent, Value
from hanse.refpoints.mm7 import ExitRecord, Volume, WorkloadState


class Demand(Value):
    """Resources that an instance wants: memory in bytes, processors in thousandths of a core, and its image."""

    app_instance_id: str
    image_id: str
    memory: int
    cpu_milli: int


class Allocation(Value):
    """Resources that an instance has: an address and a port of its own on the host."""

    app_instance_id: str
    address: str
    port: int


class Launch(Value):
    """How to start it: its environment, and files to be laid into its directory.

    ``largest_file``: bytes beyond which no file of it may grow; 0 for no bound. ``volume``: its persistent storage.
    """

    environment: dict[str, str] = {}
    files: dict[str, str] = {}
    largest_file: int = 0
    volume: Volume | Absent = ABSENT


class Stopping(Value):
    """How to end it: seconds between asking and making."""

    grace: float = 5.0


class WorkloadInfo(Value):
    """A workload as the VIM sees it; ``output`` is the end of what it wrote, when it has exited."""

    app_instance_id: str
    state: WorkloadState
    exit: ExitRecord | Absent = ABSENT
    output: str | Absent = ABSENT


class Workloads(Api, bases=("/mm6/v1",)):
    """Workloads of a host; every operation is idempotent by instance id."""

    @put("/workloads/{app_instance_id}", refuses=(400, 401, 403, 409))
    async def allocate(self, app_instance_id: str, demand: Demand) -> Allocation:
        """Take resources for an instance; 409 when the host has not enough."""

    @post("/workloads/{app_instance_id}/start", success=200)
    async def start(self, app_instance_id: str, launch: Launch) -> WorkloadInfo:
        """Run it; one that runs is left as it is."""

    @post("/workloads/{app_instance_id}/stop", success=200)
    async def stop(self, app_instance_id: str, stopping: Stopping) -> WorkloadInfo:
        """End it; its resources stay."""

    @get("/workloads/{app_instance_id}")
    async def workload(self, app_instance_id: str) -> WorkloadInfo:
        """How it is now."""

    @delete("/workloads/{app_instance_id}")
    async def release(self, app_instance_id: str) -> None:
        """End it at once if it runs, and release all that it had; an unknown one is no error."""


class WorkloadEvents(Api, bases=("/mm6/v1",)):
    """What a VIM tells the platform manager unasked (ETSI GS MEC 003, 7.1.4.3: fault reports)."""

    @post("/workload_events", success=204)
    async def workload_ended(self, info: WorkloadInfo) -> None:
        """A workload ended by itself; told again, it is the same event."""
