"""Procedures of an orchestrator, step by step (ETSI GS MEC 010-2 V3.1.1, 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from hanse.elements.meo.domain import place
from hanse.elements.meo.hosts import Host, host_of
from hanse.elements.meo.news import HostNews
from hanse.elements.meo.packages import Packages
from hanse.elements.meo.records import InstanceRecord, PackageRecord, Records
from hanse.elements.meo.survey import survey
from hanse.kit.contract.declare import Stream
from hanse.kit.failpoints import effect
from hanse.kit.problems import ProblemDetails, bad_request, conflict
from hanse.kit.procedures import Steps
from hanse.kit.store import Store, Transaction
from hanse.model.package import PackageImage, member_chunks
from hanse.refpoints.mm1.lifecycle import (
    AppLcmOpOcc,
    InstantiateAppRequest,
    InstantiationState,
    OperateAppRequest,
    OperationalState,
    OperationState,
    TerminateAppRequest,
)
from hanse.refpoints.mm1.occurrence import Occurrence, entered
from hanse.refpoints.mm3.management import Assignment

POLL_PAUSE = 1.0
"""Seconds after which a host is asked how its operation goes, if it has not told."""
HOST_PATIENCE = 90000.0
"""Seconds that an operation on a host may take: a graceful termination may wait for a day."""


class SystemProcedures:
    """The durable sequences of an orchestrator; every step names the operation and may run twice."""

    def __init__(
        self,
        store: Store,
        records: Records,
        packages: Packages,
        hosts: Mapping[str, Host],
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._moved = moved
        self._records = records
        self._packages = packages
        self._hosts = hosts
        self._news = HostNews()

    async def instantiate(self, steps: Steps, operation_id: str) -> None:
        """Choose a host, prepare it, and let its manager instantiate (5.3.1)."""
        await steps.run(self.select_host, operation_id)
        await steps.run(self.prepare_image, operation_id)
        await steps.run(self.assign, operation_id, undo=self.take_back)
        remote = await steps.run(self.instantiate_on_host, operation_id)
        await steps.run(self.await_host, operation_id, remote, patience=HOST_PATIENCE)
        await steps.run(self.instantiated, operation_id)

    async def terminate(self, steps: Steps, operation_id: str) -> None:
        """Let the host's manager terminate, and take the instance back (5.3.2)."""
        remote = await steps.run(self.terminate_on_host, operation_id)
        await steps.run(self.await_host, operation_id, remote, patience=HOST_PATIENCE)
        await steps.run(self.take_back, operation_id)
        await steps.run(self.terminated, operation_id)

    async def operate(self, steps: Steps, operation_id: str) -> None:
        """Let the host's manager start or stop the app."""
        remote = await steps.run(self.operate_on_host, operation_id)
        await steps.run(self.await_host, operation_id, remote, patience=HOST_PATIENCE)
        await steps.run(self.operated, operation_id)

    async def select_host(self, operation_id: str) -> None:
        """Place the instance on the host that suits best now."""
        operation, instance = self._operation(operation_id), self._instance(operation_id)
        if instance.host:
            return
        request = msgspec.convert(operation.params, InstantiateAppRequest)
        memory, cpu = instance.descriptor.needs
        chosen = place(await survey(self._hosts), memory, cpu, request.location_constraints)

        def decide(tx: Transaction) -> None:
            present = tx.get(self._records.instances, instance.id)
            tx.put(self._records.instances, instance.id, msgspec.structs.replace(present, host=chosen))

        await self._store.commit(decide)

    @effect("meo.image")
    async def prepare_image(self, operation_id: str) -> None:
        """Hand the package's image to the host's VIM (Mm4)."""
        instance = self._instance(operation_id)
        package = self._records.packages.get(instance.app_pkg_id)
        image = _image(package)
        chunks = member_chunks(self._packages.archive_of(package.id), image.path)
        archive = Stream(chunks, "application/gzip", image.size or None)
        await self._host(operation_id).infrastructure.store_image(image.sha256, archive)

    @effect("meo.assign")
    async def assign(self, operation_id: str) -> None:
        """Give the instance to the host's manager (Mm3)."""
        instance = self._instance(operation_id)
        assignment = Assignment(
            app_instance_id=instance.id,
            tenant=instance.tenant,
            app_pkg_id=instance.app_pkg_id,
            descriptor=instance.descriptor,
            image_id=_image(self._records.packages.get(instance.app_pkg_id)).sha256,
        )
        await self._host(operation_id).assignment.assign(instance.id, assignment)

    @effect("meo.take_back")
    async def take_back(self, operation_id: str) -> None:
        """Let the host's manager forget the instance (Mm3)."""
        await self._host(operation_id).assignment.release(self._operation(operation_id).app_instance_id)

    @effect("meo.instantiate")
    async def instantiate_on_host(self, operation_id: str) -> str:
        """Begin on the host; the id of its operation."""
        accepted = await self._host(operation_id).lifecycle.instantiate(
            self._operation(operation_id).app_instance_id, InstantiateAppRequest()
        )
        return _last(accepted.location)

    @effect("meo.terminate")
    async def terminate_on_host(self, operation_id: str) -> str:
        """Begin on the host; the id of its operation."""
        operation = self._operation(operation_id)
        request = msgspec.convert(operation.params, TerminateAppRequest)
        accepted = await self._host(operation_id).lifecycle.terminate(operation.app_instance_id, request)
        return _last(accepted.location)

    @effect("meo.operate")
    async def operate_on_host(self, operation_id: str) -> str:
        """Begin on the host; the id of its operation."""
        operation = self._operation(operation_id)
        request = msgspec.convert(operation.params, OperateAppRequest)
        accepted = await self._host(operation_id).lifecycle.operate(operation.app_instance_id, request)
        return _last(accepted.location)

    async def await_host(self, operation_id: str, remote: str) -> None:
        """Wait until the host's operation has ended; its failure is a failure here."""
        while True:
            occurrence = await self._heard_of(operation_id, remote)
            if occurrence.operation_state is OperationState.COMPLETED:
                return
            if occurrence.operation_state is OperationState.FAILED:
                error = occurrence.error if isinstance(occurrence.error, ProblemDetails) else ProblemDetails()
                raise conflict(error.title or "The host failed", error.detail)

    async def told(self, operation: AppLcmOpOcc) -> None:
        """A host told that one of its operations changed."""
        await self._news.tell(operation)

    async def instantiated(self, operation_id: str) -> None:
        """Done: the app runs."""
        await self._finish(operation_id, InstantiationState.INSTANTIATED, OperationalState.STARTED)

    async def terminated(self, operation_id: str) -> None:
        """Done: the instance is an identifier only."""
        await self._finish(operation_id, InstantiationState.NOT_INSTANTIATED, None)

    async def operated(self, operation_id: str) -> None:
        """Done: the app is in the state that was asked for."""
        wanted = OperationalState(self._operation(operation_id).params["changeStateTo"])
        await self._finish(operation_id, InstantiationState.INSTANTIATED, wanted)

    async def failed(self, operation_id: str, problem: str) -> None:
        """The operation has failed and was undone; the instance is as it was."""
        error = msgspec.json.decode(problem, type=ProblemDetails)

        def decide(tx: Transaction) -> None:
            operation = tx.find(self._records.operations, operation_id)
            if operation is None or not operation.live:
                return
            tx.put(self._records.operations, operation_id, entered(operation, OperationState.FAILED, error))
            instance = tx.get(self._records.instances, operation.app_instance_id)
            if instance.state is InstantiationState.NOT_INSTANTIATED:
                tx.put(self._records.instances, instance.id, msgspec.structs.replace(instance, host=""))

        await self._store.commit(decide)

    async def _finish(self, operation_id: str, state: InstantiationState, running: OperationalState | None) -> None:
        def decide(tx: Transaction) -> None:
            operation = tx.find(self._records.operations, operation_id)
            if operation is None or not operation.live:  # run twice: it was done, and may have been deleted since
                return
            instance = tx.get(self._records.instances, operation.app_instance_id)
            host = instance.host if state is InstantiationState.INSTANTIATED else ""
            done = msgspec.structs.replace(instance, state=state, running=running, host=host)
            tx.put(self._records.instances, instance.id, done)
            tx.put(self._records.operations, operation_id, entered(operation, OperationState.COMPLETED))
            tx.after.append(self._moved)

        await self._store.commit(decide)

    async def _heard_of(self, operation_id: str, remote: str) -> AppLcmOpOcc:
        told = await self._news.of(remote, POLL_PAUSE)
        if told is not None:
            return told
        return await self._host(operation_id).lifecycle.read_operation(remote)

    def _operation(self, operation_id: str) -> Occurrence:
        return self._records.operations.get(operation_id)

    def _instance(self, operation_id: str) -> InstanceRecord:
        return self._records.instances.get(self._operation(operation_id).app_instance_id)

    def _host(self, operation_id: str) -> Host:
        return host_of(self._hosts, self._instance(operation_id).host)


def _image(package: PackageRecord) -> PackageImage:
    images: Sequence[PackageImage] = package.images
    if not images or not images[0].sha256:
        raise bad_request("No image in the package", "the package must hold its software image with a SHA-256")
    return images[0]


def _last(location: str) -> str:
    return urlsplit(location).path.rsplit("/", 1)[-1]
