"""The orchestrator's view of its system: grants, reports of hosts, the whole at a glance."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from hanse.elements.meo.hosts import Host, host_of
from hanse.elements.meo.lookup import ServiceLookup
from hanse.elements.meo.presence import Presence
from hanse.elements.meo.procedures import SystemProcedures
from hanse.elements.meo.records import Records
from hanse.kit.contract.declare import Created
from hanse.kit.problems import Problem, forbidden
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT, Absent
from hanse.refpoints.mm1.lifecycle import AppLcmOpOcc, OperationalState
from hanse.refpoints.mm1.topology import AppOverview, HostOverview, SystemOverview, SystemTopology
from hanse.refpoints.mm3.granting import Grant, GrantInfo, Granting, GrantRequest
from hanse.refpoints.mm3.management import FoundService, PlatformReport, ServiceWanted, SystemView
from hanse.refpoints.mm4.infrastructure import Capacity

NAMESPACE = uuid.UUID("b8c0a1de-5f6b-4d6e-8a35-1f0c2f6f9b23")


class Grants(Granting):
    """Grants what an operation of the orchestrator's own making asks for, and nothing else."""

    def __init__(self, url: str, store: Store, records: Records) -> None:
        self._base = f"{url}/granting/v1"
        self._store = store
        self._records = records

    async def request_grant(self, request: GrantRequest) -> Created[Grant]:
        """Grant it if the orchestrator has an operation of that kind going on for that instance."""
        identifier = str(uuid.uuid5(NAMESPACE, request.app_lcm_op_occ_id))

        def decide(tx: Transaction) -> Grant:
            known = tx.find(self._records.grants, identifier)
            if known is not None:
                return known
            operations = list(tx.values(self._records.operations))
            if not any(
                o.live and o.operation is request.operation and o.app_instance_id == request.app_instance_id
                for o in operations
            ):
                detail = f"no {request.operation} of {request.app_instance_id} goes on"
                raise forbidden("Not granted", detail)
            instance = tx.get(self._records.instances, request.app_instance_id)
            grant = self._grant(identifier, request, instance.host)
            tx.put(self._records.grants, identifier, grant)
            return grant

        grant = await self._store.commit(decide)
        return Created(grant, f"{self._base}/grants/{identifier}")

    async def read_grant(self, grant_id: str) -> Grant:
        """A grant."""
        return self._records.grants.get(grant_id)

    def _grant(self, identifier: str, request: GrantRequest, host: str) -> Grant:
        asked = () if isinstance(request.add_resources, Absent) else request.add_resources
        added = tuple(
            GrantInfo(resource_definition_id=r.id, vim_connection_id=f"vim.{host}", zone_id=host) for r in asked
        )
        return Grant(
            id=identifier,
            app_instance_id=request.app_instance_id,
            app_lcm_op_occ_id=request.app_lcm_op_occ_id,
            add_resources=added or ABSENT,
            links=request.links,
        )


class View(SystemView):
    """What hosts report to the orchestrator and ask of it."""

    def __init__(
        self,
        store: Store,
        records: Records,
        hosts: Mapping[str, Host],
        presence: Presence,
        lookup: ServiceLookup,
        procedures: SystemProcedures,
        changed: Callable[[], None],
        moved: Callable[[], None],
    ) -> None:
        self._store = store
        self._records = records
        self._hosts = hosts
        self._presence = presence
        self._lookup = lookup
        self._procedures = procedures
        self._changed = changed
        self._moved = moved

    async def find_service(self, query: ServiceWanted) -> list[FoundService]:
        """In the system, or else in the federation (ETSI GR MEC 035, 6.5.2, step 4)."""
        return await self._lookup.find(query)

    async def report_services(self, host: str, report: PlatformReport) -> None:
        """Keep the newest report of a host, whose platform lives."""
        host_of(self._hosts, host)
        self._presence.hear(host)

        def decide(tx: Transaction) -> None:
            known = tx.find(self._records.reports, host)
            if known is None or known.sequence < report.sequence:
                tx.put(self._records.reports, host, report)
                tx.after.append(self._changed)

        await self._store.commit(decide)

    async def operation_changed(self, operation: AppLcmOpOcc) -> None:
        """Wake the procedure that waits for it."""
        await self._procedures.told(operation)

    async def instance_ended(self, app_instance_id: str) -> None:
        """Note that an app does not run any more, unless an operation is about to say more."""

        def decide(tx: Transaction) -> None:
            instance = tx.find(self._records.instances, app_instance_id)
            if instance is None or instance.running is not OperationalState.STARTED:
                return
            if not any(o.live and o.app_instance_id == app_instance_id for o in tx.values(self._records.operations)):
                stopped = msgspec.structs.replace(instance, running=OperationalState.STOPPED)
                tx.put(self._records.instances, app_instance_id, stopped)
                tx.after.append(self._moved)

        await self._store.commit(decide)


class Topology(SystemTopology):
    """The whole system at a glance."""

    def __init__(
        self,
        operator: str,
        records: Records,
        hosts: Mapping[str, Host],
        presence: Presence,
        registered: Callable[[], tuple[str, ...]],
    ) -> None:
        self._operator = operator
        self._presence = presence
        self._registered = registered
        self._records = records
        self._hosts = hosts

    async def system(self) -> SystemOverview:
        """Hosts and apps as they are now; a host that does not answer is shown as unreachable."""
        hosts = await asyncio.gather(
            *(self._overview(host, host.infrastructure.capacity()) for host in self._hosts.values())
        )
        membership = self._records.membership.find("own")
        apps = tuple(
            AppOverview(app_instance_id=i.id, app_name=i.descriptor.app_name, state=i.state, host=i.host)
            for i in self._records.instances.values()
        )
        system_id = membership.system_id if membership else ""
        return SystemOverview(
            operator=self._operator,
            system_id=system_id,
            registered=self._registered(),
            hosts=tuple(hosts),
            apps=apps,
        )

    async def _overview(self, host: Host, asked: Awaitable[Capacity]) -> HostOverview:
        report = None if self._presence.silent(host.name) else self._records.reports.find(host.name)
        services = tuple(s.ser_name for s in report.services) if report else ()
        redirectors = report.redirectors if report else ()
        try:
            capacity = await asked
        except Problem:
            return HostOverview(
                name=host.name, zone=host.zone, reachable=False, services=services, redirectors=redirectors
            )
        return HostOverview(
            name=host.name,
            zone=host.zone,
            reachable=True,
            memory=capacity.memory,
            memory_used=capacity.memory_used,
            workloads=capacity.workloads,
            services=services,
            redirectors=redirectors,
        )
