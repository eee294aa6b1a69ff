"""An orchestrator with a real store and outbox between hosts and a federation manager that note all calls."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hanse.elements.meo import Host, Orchestrator
from hanse.elements.meo.lifecycle import InstanceLifecycle
from hanse.kit.contract.call import Caller, first_call, serving
from hanse.kit.contract.declare import Accepted, Created, Stream
from hanse.kit.contract.exchange import whole
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem, bad_request, forbidden, not_found, unreachable
from hanse.kit.store import Store
from hanse.kit.values import Link
from hanse.model.place import Position, Zone
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery, PlatformOffer, SharedService
from hanse.refpoints.mfm_fed.members import Member, MemberQuery, Membership, SystemResources
from hanse.refpoints.mfm_fed.system_info import FederationEnablement, SystemInfo, SystemQuery
from hanse.refpoints.mm1.lifecycle import (
    AppLcmOpOcc,
    InstantiateAppRequest,
    LcmOperation,
    Lifecycle,
    OperateAppRequest,
    OperationLinks,
    OperationState,
    TerminateAppRequest,
)
from hanse.refpoints.mm1.occurrence import moment
from hanse.refpoints.mm1.packages import AppPkgInfo, Checksum, CreateAppPkg, OnboardingState
from hanse.refpoints.mm1.steering import SteeringPolicies, SteeringPolicy
from hanse.refpoints.mm3.management import Assignment, InstanceAssignment, OfferedService
from hanse.refpoints.mm4.infrastructure import Capacity, Infrastructure
from hanse.refpoints.mp1.services import LocalityType, ServiceState
from tests.bounds import SOON
from tests.unit.elements.mepm.inline import InlineProcedures

URL = "https://127.9.0.9:8444"
GIB = 2**30


class FakeHost(Lifecycle, InstanceAssignment, Infrastructure, SteeringPolicies):
    """A host's manager and VIM; its operations end in ``outcome``, with the problem if that is FAILED."""

    def __init__(self, name: str, memory: int = 2 * GIB) -> None:
        self.name, self.memory = name, memory
        self.away = False
        self.outcome = OperationState.COMPLETED
        self.images: dict[str, bytes] = {}
        self.charge: dict[str, Assignment] = {}
        self.calls: list[str] = []
        self._operations: dict[str, LcmOperation] = {}
        self.policies: dict[str, SteeringPolicy] = {}
        self.refuses = ""

    async def capacity(self) -> Capacity:
        if self.away:
            raise unreachable(f"vim.{self.name}")
        return Capacity(
            host=self.name,
            kind="fake",
            memory=self.memory,
            memory_used=0,
            cpu_milli=4000,
            cpu_milli_used=0,
            workloads=len(self.charge),
            network="IPv6",
            addresses=64,
        )

    async def store_image(self, image_id: str, archive: Stream) -> None:
        self.calls.append("store_image")
        self.images[image_id] = await whole(archive.chunks, GIB)

    async def discard_image(self, image_id: str) -> None:
        if self.away:
            raise unreachable(f"vim.{self.name}")
        self.calls.append("discard_image")
        self.images.pop(image_id, None)

    async def set_policy(self, name: str, policy: SteeringPolicy) -> None:
        if self.away:
            raise unreachable(f"mepm.{self.name}")
        if self.refuses:
            raise bad_request("The policy leads devices to different targets", self.refuses)
        self.policies[name] = policy

    async def remove_policy(self, name: str) -> None:
        if self.away:
            raise unreachable(f"mepm.{self.name}")
        self.policies.pop(name, None)

    async def list_policies(self) -> list[SteeringPolicy]:
        if self.away:
            raise unreachable(f"mepm.{self.name}")
        return list(self.policies.values())

    async def assign(self, app_instance_id: str, assignment: Assignment) -> None:
        self.calls.append("assign")
        self.charge[app_instance_id] = assignment

    async def release(self, app_instance_id: str) -> None:
        self.calls.append("release")
        self.charge.pop(app_instance_id, None)

    async def instantiate(self, app_instance_id: str, request: InstantiateAppRequest) -> Accepted:
        return self._begun(LcmOperation.INSTANTIATE)

    async def terminate(self, app_instance_id: str, request: TerminateAppRequest) -> Accepted:
        return self._begun(LcmOperation.TERMINATE)

    async def operate(self, app_instance_id: str, request: OperateAppRequest) -> Accepted:
        return self._begun(LcmOperation.OPERATE)

    def _begun(self, operation: LcmOperation) -> Accepted:
        self.calls.append(operation.lower())
        identifier = f"{self.name}-{len(self._operations)}"
        self._operations[identifier] = operation
        return Accepted(f"https://elsewhere/app_lcm/v1/app_lcm_op_occs/{identifier}")

    async def read_operation(self, app_lcm_op_occ_id: str) -> AppLcmOpOcc:
        here = Link(href="x")
        occurrence = AppLcmOpOcc(
            id=app_lcm_op_occ_id,
            operation_state=self.outcome,
            state_entered_time=moment(1),
            start_time=moment(1),
            lcm_operation=self._operations[app_lcm_op_occ_id],
            links=OperationLinks(self=here, app_instance=here),
        )
        if self.outcome is OperationState.FAILED:
            error = Problem(409, "App ended before it was ready", "exit code 3").details()
            return msgspec.structs.replace(occurrence, error=error)
        return occurrence


class Federation(FederationEnablement, Membership):
    """A federation manager, which may know the system already, or forget it; ``members`` are partners' systems."""

    def __init__(self) -> None:
        self.systems: dict[str, SystemInfo] = {}
        self.resources: list[tuple[str, SystemResources]] = []
        self.members: list[Member] = []
        self.news = asyncio.Event()

    async def register_system(self, system: SystemInfo) -> Created[SystemInfo]:
        if self.systems:
            raise forbidden("System is registered")
        info = SystemInfo(
            system_name=system.system_name,
            system_provider=system.system_provider,
            system_id=f"id-{len(self.resources)}",
        )
        self.systems[str(info.system_id)] = info
        return Created(info, "x")

    async def list_systems(self, query: SystemQuery) -> list[SystemInfo]:
        return list(self.systems.values())

    async def register_resources(self, system_id: str, resources: SystemResources) -> None:
        if system_id not in self.systems:
            raise not_found("system", system_id)
        self.resources.append((system_id, resources))
        self.news.set()

    async def find_members(self, query: MemberQuery) -> list[Member]:
        return self.members


class Peer(PlatformDiscovery):
    """A partner's orchestrator: the same offers for everybody, or none at all."""

    def __init__(self, *offers: PlatformOffer, away: bool = False) -> None:
        self.offers, self.away = list(offers), away

    async def platforms(self, system_id: str, query: MemberQuery) -> list[PlatformOffer]:
        if self.away:
            raise unreachable("partner")
        return self.offers


@dataclass
class Bench:
    """An orchestrator with the hosts ``harbour`` and ``airport``, and everything around it."""

    directory: Path
    trust: tuple[bytes, ...] = ()
    store: Store = field(default_factory=Store)
    procedures: InlineProcedures = field(default_factory=InlineProcedures)
    federation: Federation = field(default_factory=Federation)
    peers: dict[str, Peer] = field(default_factory=dict)
    steering: dict[str, SteeringPolicy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store)
        self.fakes = {"harbour": FakeHost("harbour", 4 * GIB), "airport": FakeHost("airport")}
        hosts = {
            name: Host(name, zone(name, latitude), country, fake, fake, fake, fake)
            for (name, fake), latitude, country in zip(self.fakes.items(), (54.0, 48.0), ("DE", "AT"), strict=True)
        }
        self.meo = Orchestrator(
            "north",
            URL,
            store=self.store,
            outbox=self.outbox,
            procedures=self.procedures,
            directory=self.directory,
            trust=self.trust,
            hosts=hosts,
            enablement=self.federation,
            membership=self.federation,
            peer=self.peers.__getitem__,
            devices=("alice", "bob"),
            steering=self.steering,
        )
        lifecycle = self.meo.apis()[Lifecycle]
        assert isinstance(lifecycle, InstanceLifecycle)
        self.lifecycle = lifecycle
        self.packages = self.meo.packages

    async def on_board(self, archive: Path, digest: str = "") -> AppPkgInfo:
        """Announce and upload as the current tenant; the package once it was checked."""
        content = archive.read_bytes()
        checksum = Checksum(algorithm="SHA-256", hash=digest or hashlib.sha256(content).hexdigest())
        wish = CreateAppPkg(app_pkg_name="hello", app_pkg_version="1", checksum=checksum, app_pkg_path="x")
        created = (await self.packages.create_package(wish)).value
        await self.packages.upload_content(created.id, Stream(pieces(content)))
        async with asyncio.timeout(SOON):
            while True:
                info = await self.packages.read_package(created.id)
                if info.onboarding_state in (OnboardingState.ONBOARDED, OnboardingState.CREATED):
                    return info
                await asyncio.sleep(0.005)

    async def ended(self, location: str) -> AppLcmOpOcc:
        """An operation once it has ended."""
        async with asyncio.timeout(SOON):
            while True:
                operation = await self.lifecycle.read_operation(location.rsplit("/", 1)[-1])
                if operation.operation_state is not OperationState.PROCESSING:
                    return operation
                await asyncio.sleep(0.005)


async def pieces(content: bytes, *, breaks: bool = False) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 4096):
        yield content[start : start + 4096]
    if breaks:
        raise ConnectionResetError("gone")


@contextmanager
def tenant(name: str) -> Iterator[None]:
    """As the OSS asks for a tenant; ``*`` is all."""
    caller = Caller(role="oss", name="oss", operator="north", trusted=True)
    with serving(replace(first_call(caller), tenant=name)):
        yield


def zone(name: str, latitude: float, longitude: float = 10.0) -> Zone:
    return Zone(name=f"zone-{name}", position=Position(latitude=latitude, longitude=longitude))


def offer(name: str, latitude: float) -> PlatformOffer:
    """A partner's platform with the service ``speech``."""
    shared = SharedService(
        reference=f"ref-{name}",
        ser_name="speech",
        version="1",
        state=ServiceState.ACTIVE,
        serializer="JSON",
        transport_type="REST_HTTP",
        transport_version="1.1",
    )
    return PlatformOffer(platform_id=name, zone=zone(name, latitude), services=(shared,))


def offered(
    name: str, *, local: bool = False, state: ServiceState = ServiceState.ACTIVE, app: str = "a"
) -> OfferedService:
    """A service as a platform reports it."""
    return OfferedService(
        ser_instance_id=f"id-{name}",
        ser_name=name,
        version="1",
        state=state,
        serializer="JSON",
        scope_of_locality=LocalityType.MEC_SYSTEM,
        consumed_local_only=local,
        app_instance_id=app,
        tenant="acme",
    )
