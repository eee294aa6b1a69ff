"""How the driver holds on to running workloads, and finds them again after a restart of the VIM."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hanse.drivers.compute_process.bulletin import Bulletin
from hanse.drivers.compute_process.images import Images
from hanse.drivers.compute_process.instances import Instance, every, tidy
from hanse.drivers.compute_process.launch import reap
from hanse.drivers.compute_process.processes import Identity, alive, notify
from hanse.drivers.compute_process.watch import Watch
from hanse.kit.problems import Problem, conflict
from hanse.kit.values import ABSENT
from hanse.refpoints.mm7 import WorkloadEvent, WorkloadState, WorkloadStatus

_PATIENCE = 10.0
_PAUSE = 0.01


class Attachment:
    """Watches every running workload; what ends without being asked to goes to the ``bulletin``."""

    def __init__(self, instances: Path, images: Images) -> None:
        self._instances, self._images = instances, images
        self.bulletin = Bulletin(self._told)
        self._watches: dict[Identity, Watch] = {}
        self._expected: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._attached: asyncio.Task[None] | None = None

    async def ready(self) -> None:
        """Take up, once, what an earlier VIM left: running workloads are watched, exits of its absence put up."""
        if self._attached is None:
            self._attached = asyncio.create_task(self._attach())
        await asyncio.shield(self._attached)

    async def _attach(self) -> None:
        await asyncio.to_thread(self._images.tidy)
        await asyncio.to_thread(tidy, self._instances)
        for instance in await asyncio.to_thread(lambda: list(every(self._instances))):
            with contextlib.suppress(Problem):  # one that cannot be read must not keep the others from being found
                await self._put_up(instance)

    async def status(self, instance: Instance) -> WorkloadStatus:
        """The state as it is now, once it is settled; a running workload is watched from then on."""
        for _ in range(int(_PATIENCE / _PAUSE)):
            status = await asyncio.to_thread(instance.look)
            if status is not None:
                await self._hold(instance, status)
                return status
            await asyncio.sleep(_PAUSE)
        raise conflict(f"Workload {instance.id} is locked", "another process holds its lock and runs nothing")

    async def runs(self, instance: Instance) -> bool:
        """Whether there is a supervisor to end, whatever else is on disk; an unknown instance has none."""
        run = await asyncio.to_thread(instance.run)
        return run is not None and await asyncio.to_thread(alive, run.supervisor)

    async def begun(self, instance: Instance) -> None:
        """Watch the run that has just begun. It may be over by now: that is an event like any later end."""
        run = await asyncio.to_thread(instance.run)
        if run is not None:
            self._watch(instance, run.supervisor)

    async def _hold(self, instance: Instance, status: WorkloadStatus) -> None:
        if status.state is WorkloadState.RUNNING:
            await self.begun(instance)

    def _watch(self, instance: Instance, supervisor: Identity) -> Watch:
        watch = self._watches.get(supervisor)
        if watch is None:
            watch = Watch(supervisor, lambda: self._ended(instance, supervisor))
            self._watches[supervisor] = watch
        return watch

    def _ended(self, instance: Instance, supervisor: Identity) -> None:
        reap(supervisor.pid)
        self._watches.pop(supervisor, None)
        task = asyncio.create_task(self._report(instance, asked=bool(self._expected[instance.id])))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _report(self, instance: Instance, asked: bool) -> None:
        with contextlib.suppress(Problem):  # it was deleted in the meantime
            await self._put_up(instance, asked)

    async def _put_up(self, instance: Instance, asked: bool = False) -> None:
        status = await self.status(instance)
        if status.exit is ABSENT:
            return
        if asked:
            await asyncio.to_thread(instance.tell, status.exit)
        elif not await asyncio.to_thread(instance.told, status.exit):
            self.bulletin.post(WorkloadEvent(instance_id=instance.id, state=status.state, exit=status.exit))

    def _told(self, event: WorkloadEvent) -> None:
        if event.exit is not ABSENT:
            Instance(self._instances, event.instance_id).tell(event.exit)

    @contextlib.contextmanager
    def expected(self, instance: Instance) -> Iterator[None]:
        """An exit in this time was asked for, and is no event."""
        self._expected[instance.id] += 1
        try:
            yield
        finally:
            self._expected[instance.id] -= 1
            self._expected += Counter()  # drops the zeros

    async def signal(self, instance: Instance, number: int, seconds: float) -> bool:
        """Send the supervisor a signal and wait so long for its end; whether it ended."""
        run = await asyncio.to_thread(instance.run)
        if run is None or not await asyncio.to_thread(alive, run.supervisor):
            return True
        watch = self._watch(instance, run.supervisor)
        return not await asyncio.to_thread(notify, run.supervisor, number) or await watch.wait(seconds)

    def forget(self, instance: Instance) -> None:
        """It is deleted: nothing of it is to be reported."""
        self.bulletin.withdraw(instance.id)

    async def close(self) -> None:
        """Watch nothing any longer; readers of the bulletin come to their end."""
        self.bulletin.close()
        tasks = [*self._tasks, *([self._attached] if self._attached else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()
