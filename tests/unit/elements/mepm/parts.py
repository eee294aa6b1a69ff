"""A platform manager with a real store and outbox between a VIM, a platform and an orchestrator that note all calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hanse.elements.mepm import PlatformManager
from hanse.kit.contract.declare import Created
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem, conflict, forbidden, not_found
from hanse.kit.store import Store
from hanse.kit.values import ABSENT
from hanse.model.descriptor.application import AppD
from hanse.model.descriptor.resources import VirtualComputeDescriptor, VirtualCpuData, VirtualMemoryData
from hanse.refpoints.mm1.lifecycle import AppLcmOpOcc, OperationState
from hanse.refpoints.mm3.granting import Grant, Granting, GrantRequest
from hanse.refpoints.mm3.management import Assignment, FoundService, PlatformReport, ServiceWanted, SystemView
from hanse.refpoints.mm5.platform import (
    AppAccess,
    AppConfiguration,
    AppPhase,
    AppStanding,
    ConflictPolicy,
    GracefulEnd,
    PlatformConfiguration,
    StandingQuery,
)
from hanse.refpoints.mm6.workloads import Allocation, Demand, Launch, Stopping, WorkloadInfo, Workloads
from hanse.refpoints.mm7 import ExitRecord, WorkloadState
from tests.bounds import SOON
from tests.unit.elements.mepm.inline import InlineProcedures

URL = "https://127.9.0.1:8444"


class Log:
    """The calls on all peers in their order; a call that is named in ``refuses`` is refused."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.refuses: dict[str, Problem] = {}

    def note(self, call: str) -> None:
        self.calls.append(call)
        if call in self.refuses:
            raise self.refuses[call]


class Orchestrator(Granting, SystemView):
    """Grants unless told not to, and hears how operations end."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.requests: list[GrantRequest] = []
        self.told: list[AppLcmOpOcc] = []
        self.reports: list[PlatformReport] = []
        self.ended: list[str] = []

    async def request_grant(self, request: GrantRequest) -> Created[Grant]:
        self.requests.append(request)
        self._log.note("grant")
        grant = Grant(
            id="g",
            app_instance_id=request.app_instance_id,
            app_lcm_op_occ_id=request.app_lcm_op_occ_id,
            links=request.links,
        )
        return Created(grant, "/grants/g")

    async def find_service(self, query: ServiceWanted) -> list[FoundService]:
        self._log.note("find_service")
        return []

    async def report_services(self, host: str, report: PlatformReport) -> None:
        self.reports.append(report)

    async def operation_changed(self, operation: AppLcmOpOcc) -> None:
        self.told.append(operation)

    async def instance_ended(self, app_instance_id: str) -> None:
        self.ended.append(app_instance_id)


class Vim(Workloads):
    """Starts what it is told to; ``state`` is what it says of the app afterwards."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.launched: list[Launch] = []
        self.demands: list[Demand] = []
        self.info = WorkloadInfo(app_instance_id="one", state=WorkloadState.RUNNING)

    async def allocate(self, app_instance_id: str, demand: Demand) -> Allocation:
        self.demands.append(demand)
        self._log.note("allocate")
        return Allocation(app_instance_id=app_instance_id, address="127.9.0.100", port=8080)

    async def start(self, app_instance_id: str, launch: Launch) -> WorkloadInfo:
        self.launched.append(launch)
        self._log.note("start")
        return self.info

    async def stop(self, app_instance_id: str, stopping: Stopping) -> WorkloadInfo:
        self._log.note("stop")
        return self.info

    async def workload(self, app_instance_id: str) -> WorkloadInfo:
        return self.info

    async def release(self, app_instance_id: str) -> None:
        self._log.note("release")

    def exited(self, code: int, words: str) -> None:
        ended = ExitRecord(exit_code=code, at=1.0)
        self.info = WorkloadInfo(app_instance_id="one", state=WorkloadState.EXITED, exit=ended, output=words or ABSENT)


class Mep(PlatformConfiguration):
    """A platform whose app becomes ready and confirms as ``ready`` and ``confirms`` say."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.phase: AppPhase | None = None
        self.ready, self.listens, self.confirms = True, True, True
        self.ends: list[GracefulEnd] = []
        self.conflicts: list[ConflictPolicy] = []

    async def configure(self, app_instance_id: str, configuration: AppConfiguration) -> AppAccess:
        self._log.note("configure")
        self.conflicts.append(configuration.conflicts)
        self.phase = AppPhase.READY if self.ready else AppPhase.CONFIGURED
        return AppAccess(platform_url="p", token_url="t", client_id="c", client_secret="s", authority="PEM")

    async def standing(self, app_instance_id: str, query: StandingQuery) -> AppStanding:
        if self.phase is None:
            raise not_found("application", app_instance_id)
        if self.phase is not query.phase:
            await asyncio.sleep(min(query.wait, 0.02))
        return AppStanding(app_instance_id=app_instance_id, phase=self.phase, listens=self.listens)

    async def activate(self, app_instance_id: str) -> None:
        self._log.note("activate")

    async def announce_end(self, app_instance_id: str, end: GracefulEnd) -> None:
        self._log.note("announce")
        self.ends.append(end)
        stopping = end.action == "STOPPING"
        announced = AppPhase.STOPPING if stopping else AppPhase.TERMINATING
        self.phase = AppPhase.CONFIRMED if self.confirms else announced

    async def deactivate(self, app_instance_id: str) -> None:
        self._log.note("deactivate")

    async def forget(self, app_instance_id: str) -> None:
        self._log.note("forget")
        self.phase = None


@dataclass
class Bench:
    """A manager and everything around it."""

    log: Log = field(default_factory=Log)
    store: Store = field(default_factory=Store)
    procedures: InlineProcedures = field(default_factory=InlineProcedures)
    conflicts: ConflictPolicy = ConflictPolicy.REFUSE

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store)
        self.orchestrator = Orchestrator(self.log)
        self.vim, self.mep = Vim(self.log), Mep(self.log)
        self.manager = PlatformManager(
            "harbour",
            URL,
            store=self.store,
            outbox=self.outbox,
            procedures=self.procedures,
            granting=self.orchestrator,
            view=self.orchestrator,
            platform=self.mep,
            vim=self.vim,
            ready_patience=0.1,
            conflicts=self.conflicts,
        )

    async def ended(self, location: str) -> AppLcmOpOcc:
        """An operation once it has ended and everyone was told."""
        identifier = location.rsplit("/", 1)[-1]
        async with asyncio.timeout(SOON):
            while True:
                operation = await self.manager.read_operation(identifier)
                told = any(known.id == identifier for known in self.orchestrator.told)
                if operation.operation_state is not OperationState.PROCESSING and told:
                    return operation
                await asyncio.sleep(0.005)

    def refuse(self, call: str, problem: Problem | None = None) -> None:
        self.log.refuses[call] = problem or conflict(f"{call} refused", "no room")


def denied() -> Problem:
    return forbidden("Not granted", "no operation goes on")


def descriptor(**more: Any) -> AppD:
    """The descriptor of a small app of 100 MB and two cores."""
    compute = VirtualComputeDescriptor(
        virtual_compute_desc_id="vm",
        virtual_cpu=VirtualCpuData(num_virtual_cpu=2),
        virtual_memory=VirtualMemoryData(virtual_mem_size=100),
    )
    plain = AppD(
        app_d_id="d",
        app_name="app",
        app_provider="provider",
        app_soft_version="1",
        app_d_version="1",
        mec_version="3.1.1",
        app_description="an app",
        sw_image_descriptor=(),
        app_ext_cpd=(),
        virtual_compute_descriptor=compute,
    )
    return msgspec.structs.replace(plain, **more)


def assignment(app_instance_id: str = "one", **more: Any) -> Assignment:
    return Assignment(
        app_instance_id=app_instance_id,
        tenant="acme",
        app_pkg_id="p",
        descriptor=descriptor(**more),
        image_id="sha",
    )
