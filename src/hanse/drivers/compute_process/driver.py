"""The compute driver that runs workloads as processes (Mm7)."""

from __future__ import annotations

import asyncio
import builtins
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from weakref import WeakValueDictionary

from hanse.drivers.compute_process.abilities import find_out
from hanse.drivers.compute_process.attachment import Attachment
from hanse.drivers.compute_process.images import Images
from hanse.drivers.compute_process.instances import Instance, every
from hanse.drivers.compute_process.launch import launch
from hanse.drivers.compute_process.plan import plan
from hanse.drivers.compute_process.troubles import full, refusal
from hanse.kit.failpoints import effect
from hanse.kit.problems import conflict
from hanse.refpoints.mm7 import Capabilities, Compute, Image, Workload, WorkloadEvent, WorkloadState, WorkloadStatus

_PATIENCE = 10.0
_PAUSE = 0.02


class ProcessCompute(Compute):
    """Workloads as processes of this machine, kept below ``directory``; all state is there and in the kernel.

    Every method raises `Problem` only: 400 for what is asked wrongly, 404 for what is unknown, 409 where the state does
    not allow it, 507 for a full disk, 503 for a host without processes or memory left.
    """

    def __init__(self, directory: Path) -> None:
        self._instances = directory.absolute() / "instances"
        self._images = Images(directory.absolute() / "images")
        self._attachment = Attachment(self._instances, self._images)
        self._starts: dict[str, asyncio.Task[WorkloadStatus]] = {}
        self._changes: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._capabilities: Capabilities | None = None

    async def capabilities(self) -> Capabilities:
        """What holds here, tried once."""
        if self._capabilities is None:
            self._capabilities = await find_out()
        return self._capabilities

    async def prepare(self, image_id: str, source: Path) -> Image:
        """Copy a directory or a file into the store; links out of it, pipes and devices are refused with 400."""
        return await asyncio.to_thread(self._images.take, image_id, source)

    async def discard(self, image_id: str) -> None:
        """Remove an image, also from under workloads of it: what runs has its program open, a start will say 404."""
        await asyncio.to_thread(self._images.drop, image_id)

    async def create(self, workload: Workload) -> None:
        """Lay out the directory and the files; 404 without the image, 409 if the id has another workload."""
        instance = Instance(self._instances, workload.instance_id)
        async with self._change(instance):
            image = await asyncio.to_thread(self._images.find, workload.image_id)
            spec = plan(workload, image, instance.work)
            if not await asyncio.to_thread(instance.holds, spec):
                await asyncio.to_thread(instance.lay_out, spec)

    async def start(self, instance_id: str) -> WorkloadStatus:
        """Run it, or leave it running; callers that come meanwhile share one start. One that exited runs anew."""
        task = self._starts.get(instance_id)
        if task is None:
            task = asyncio.create_task(self._start(self._find(instance_id)))
            self._starts[instance_id] = task
            task.add_done_callback(lambda _: self._starts.pop(instance_id, None))
        return await asyncio.shield(task)

    async def _start(self, instance: Instance) -> WorkloadStatus:
        await self._attachment.ready()
        async with self._change(instance):
            status = await self._attachment.status(instance)
            if status.state is not WorkloadState.RUNNING:
                spec = await asyncio.to_thread(instance.spec)
                await asyncio.to_thread(self._images.find, spec.workload.image_id)
                await self._launch(instance)
        return await self._attachment.status(instance)

    async def _launch(self, instance: Instance) -> None:
        """Start supervisors until one has the lock; the last of an earlier run may take a moment to let it go."""
        for _ in range(int(_PATIENCE / _PAUSE)):
            answer = await launch(instance)
            if answer.state == "full":
                raise full(str(instance), answer.detail)
            if answer.state in ("refused", "failed"):
                raise refusal(str(instance), answer.errno if answer.state == "failed" else 0, answer.detail)
            if answer.state == "running":
                return await self._attachment.begun(instance)
            if (await self._attachment.status(instance)).state is WorkloadState.RUNNING:
                return None
            await asyncio.sleep(_PAUSE)
        raise conflict(
            f"Workload {instance.id} is locked", f"another process holds its lock; see {instance.path / 'lock'}"
        )

    @effect("compute.stop")
    async def stop(self, instance_id: str, grace: float) -> WorkloadStatus:
        """SIGTERM to its process group, SIGKILL after ``grace`` seconds; returns when its exit is recorded."""
        instance = self._find(instance_id)
        await self._attachment.ready()
        status = await self._attachment.status(instance)
        if status.state is not WorkloadState.RUNNING:
            return status
        with self._attachment.expected(instance):
            if grace <= 0 or not await self._attachment.signal(instance, signal.SIGTERM, grace):
                await self._end(instance)
            return await self._attachment.status(instance)

    async def _end(self, instance: Instance) -> None:
        """End it at once; a supervisor that does not hear dies, and the kernel kills the workload with it."""
        for number in (signal.SIGUSR1, signal.SIGKILL):
            if await self._attachment.signal(instance, number, _PATIENCE / 2):
                return
        raise conflict(f"Workload {instance.id} does not end", "its supervisor cannot be killed; the host needs a look")

    async def delete(self, instance_id: str) -> None:
        """End it at once and remove its directory, output and exit; nothing of it stays."""
        instance = self._find(instance_id)
        await self._attachment.ready()
        async with self._change(instance):
            with self._attachment.expected(instance):
                await self._delete(instance)

    async def _delete(self, instance: Instance) -> None:
        for _ in range(int(_PATIENCE / _PAUSE)):
            if await self._attachment.runs(instance):
                await self._end(instance)
            if await asyncio.to_thread(instance.remove):
                return self._attachment.forget(instance)
            await asyncio.sleep(_PAUSE)
        raise conflict(
            f"Workload {instance.id} is locked", f"another process holds its lock; see {instance.path / 'lock'}"
        )

    async def status(self, instance_id: str) -> WorkloadStatus:
        """The workload as it is now; 404 if unknown."""
        instance = self._find(instance_id)
        await self._attachment.ready()
        return await self._attachment.status(instance)

    async def list(self) -> builtins.list[WorkloadStatus]:
        """All workloads in the order of their ids."""
        await self._attachment.ready()
        found = await asyncio.to_thread(lambda: builtins.list(every(self._instances)))
        return [await self._attachment.status(instance) for instance in found]

    async def output(self, instance_id: str) -> bytes:
        """The last bytes of its standard output and error, of all its runs; 404 if unknown."""
        return await asyncio.to_thread(self._find(instance_id).output)

    async def events(self) -> AsyncIterator[WorkloadEvent]:
        """Exits that nobody asked for, also those of the time when no VIM was there. For one reader at a time.

        An exit counts as reported when the reader asks for the next; until then a restarted VIM reports it again.
        """
        await self._attachment.ready()
        async for event in self._attachment.bulletin.read():
            yield event

    async def close(self) -> None:
        """Let go of the workloads; they run on under their supervisors."""
        await self._attachment.close()

    def _find(self, instance_id: str) -> Instance:
        return Instance(self._instances, instance_id)

    def _change(self, instance: Instance) -> asyncio.Lock:
        return self._changes.setdefault(instance.id, asyncio.Lock())  # lives as long as somebody uses it
