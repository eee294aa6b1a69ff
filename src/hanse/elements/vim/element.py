"""The VIM: allocates, starts, stops and releases what instances run in (ETSI GS MEC 003, 7.1.4.4)."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path
from weakref import WeakValueDictionary

from hanse.elements.vim.domain import Equipment, family, take
from hanse.elements.vim.images import lay_open, receive
from hanse.elements.vim.records import StoredImage, Taken
from hanse.kit.contract.declare import Stream
from hanse.kit.problems import Problem, bad_request
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT
from hanse.refpoints.mm4.infrastructure import Capacity, Infrastructure
from hanse.refpoints.mm6.workloads import Allocation, Demand, Launch, Stopping, WorkloadEvents, WorkloadInfo, Workloads
from hanse.refpoints.mm7 import Compute, Limits, Workload, WorkloadState, WorkloadStatus

log = logging.getLogger("hanse.vim")


class Vim(Infrastructure, Workloads):
    """The VIM of one host, over one compute driver."""

    def __init__(
        self, host: str, equipment: Equipment, store: Store, compute: Compute, directory: Path, manager: WorkloadEvents
    ) -> None:
        self._host = host
        self._equipment = equipment
        self._store = store
        self._compute = compute
        self._directory = directory
        self._manager = manager
        self._watching: asyncio.Task[None] | None = None
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._images = store.shelf("stored_image", StoredImage)
        self._taken = store.shelf("workload", Taken)

    async def start_up(self) -> None:
        """Remove what an earlier run left half done: images half received, workloads that are not known here."""
        await asyncio.to_thread(shutil.rmtree, self._directory / "incoming", True)
        for status in await self._compute.list():
            if status.instance_id not in self._taken:
                await self._compute.delete(status.instance_id)
        self._watching = asyncio.create_task(self._watch())

    async def shut_down(self) -> None:
        """Stop watching; workloads go on."""
        tasks = [task for task in (self._watching, *self._telling.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        """Tell the manager of each workload that ended by itself; no instance waits for another."""
        async for event in self._compute.events():
            if event.state is WorkloadState.EXITED and event.instance_id in self._taken:
                self._begin_telling(event.instance_id)

    def _begin_telling(self, app_instance_id: str) -> None:
        """One task an instance: a newer one tells how the instance is now, so the older one has nothing to add."""
        if (older := self._telling.get(app_instance_id)) is not None:
            older.cancel()
        task = self._telling[app_instance_id] = asyncio.create_task(self._tell_ended(app_instance_id))
        task.add_done_callback(lambda done: self._told(app_instance_id, done))

    def _told(self, app_instance_id: str, task: asyncio.Task[None]) -> None:
        if self._telling.get(app_instance_id) is task:
            del self._telling[app_instance_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("telling that %s ended has an error", app_instance_id, exc_info=error)

    async def _tell_ended(self, app_instance_id: str) -> None:
        """Tell that an instance ended, until the manager has taken it, or the instance runs again or is gone."""
        pause = 0.1
        while app_instance_id in self._taken:
            try:
                info = await self.workload(app_instance_id)
                if info.state is WorkloadState.EXITED:
                    await self._manager.workload_ended(info)
                return
            except Problem as problem:
                log.info("telling that %s ended failed: %s", app_instance_id, problem)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def capacity(self) -> Capacity:
        """What the host has and what is taken of it."""
        taken = self._taken.values()
        return Capacity(
            host=self._host,
            kind=(await self._compute.capabilities()).kind,
            memory=self._equipment.memory,
            memory_used=sum(t.memory for t in taken),
            cpu_milli=self._equipment.cpu_milli,
            cpu_milli_used=sum(t.cpu_milli for t in taken),
            workloads=len(taken),
            network=family(self._equipment),
            addresses=len(self._equipment.addresses),
            addresses_used=len(taken),
        )

    async def store_image(self, image_id: str, archive: Stream) -> None:
        """Take an image in, if it is not there yet; its SHA-256 must be its id."""
        path, digest = await receive(archive, self._directory / "incoming")
        try:
            if digest != image_id:
                raise bad_request("Image digest differs", f"the archive's SHA-256 is {digest}, not {image_id}")
            async with self._alone_with(image_id):
                if image_id not in self._images:
                    image = await lay_open(path, image_id, self._compute)
                    await self._store.commit(lambda tx: tx.put(self._images, image_id, image))
        finally:
            path.unlink(missing_ok=True)

    async def discard_image(self, image_id: str) -> None:
        """Remove an image that no instance uses."""

        def decide(tx: Transaction) -> bool:
            used = any(t.image_id == image_id for t in tx.values(self._taken))
            if not used:
                tx.delete(self._images, image_id)
            return not used

        async with self._alone_with(image_id):
            if await self._store.commit(decide):
                await self._compute.discard(image_id)

    def _alone_with(self, image_id: str) -> asyncio.Lock:
        """The lock of an image, while somebody holds or awaits it: its record and its files change together."""
        return self._locks.setdefault(image_id, asyncio.Lock())

    async def allocate(self, app_instance_id: str, demand: Demand) -> Allocation:
        """Take resources for an instance; asked again, the same."""

        def decide(tx: Transaction) -> Taken:
            taken = tx.find(self._taken, app_instance_id)
            if taken is None:
                tx.get(self._images, demand.image_id)
                taken = take(self._equipment, list(tx.values(self._taken)), demand)
                tx.put(self._taken, app_instance_id, taken)
            return taken

        taken = await self._store.commit(decide)
        return Allocation(app_instance_id=app_instance_id, address=taken.address, port=taken.port)

    async def start(self, app_instance_id: str, launch: Launch) -> WorkloadInfo:
        """Run an instance in the resources that it has."""
        taken = self._taken.get(app_instance_id)
        image = self._images.get(taken.image_id)
        workload = Workload(
            instance_id=app_instance_id,
            image_id=taken.image_id,
            command=image.command,
            address=taken.address,
            environment=launch.environment,
            files=launch.files,
            limits=Limits(memory=taken.memory, cpu_milli=taken.cpu_milli, largest_file=launch.largest_file),
            volume=launch.volume,
        )
        await self._compute.create(workload)
        return await self._info(await self._compute.start(app_instance_id))

    async def stop(self, app_instance_id: str, stopping: Stopping) -> WorkloadInfo:
        """End an instance; its resources stay."""
        self._taken.get(app_instance_id)
        return await self._info(await self._compute.stop(app_instance_id, stopping.grace))

    async def workload(self, app_instance_id: str) -> WorkloadInfo:
        """How an instance is now."""
        self._taken.get(app_instance_id)
        return await self._info(await self._compute.status(app_instance_id))

    async def release(self, app_instance_id: str) -> None:
        """End an instance and free what it had."""
        await self._compute.delete(app_instance_id)
        await self._store.commit(lambda tx: tx.delete(self._taken, app_instance_id))

    async def _info(self, status: WorkloadStatus) -> WorkloadInfo:
        output: str | None = None
        if status.state is WorkloadState.EXITED:
            try:
                output = (await self._compute.output(status.instance_id))[-2000:].decode("utf-8", "replace")
            except Problem:
                output = None
        return WorkloadInfo(
            app_instance_id=status.instance_id,
            state=status.state,
            exit=status.exit,
            output=ABSENT if output is None else output,
        )
