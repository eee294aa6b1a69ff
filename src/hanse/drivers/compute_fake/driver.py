"""The driver: what every compute driver owes a VIM, over a machine that is only in memory."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from hanse.drivers.compute_fake.behaviour import behaviour
from hanse.drivers.compute_fake.machine import App, Machine
from hanse.kit.problems import bad_request, conflict, not_found
from hanse.refpoints.mm7 import Capabilities, Compute, Image, Workload, WorkloadEvent, WorkloadStatus

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class FakeCompute(Compute):
    """Runs nothing and behaves as if; ``machine`` is shared with the driver that comes after this one."""

    def __init__(self, machine: Machine | None = None) -> None:
        self.machine = machine or Machine()
        self._news = asyncio.Event()
        self._closed = False
        self.machine.listeners.add(self._news)

    async def capabilities(self) -> Capabilities:
        """It works everywhere, and says that it runs nothing."""
        lacks = {"programs": "nothing is executed: the words of a command say how an app behaves"}
        return Capabilities(kind="fake", available=True, lacks=lacks)

    async def prepare(self, image_id: str, source: Path) -> Image:
        """Note an image with the digest of its files; nothing of it is kept."""
        known = self.machine.images.get(_checked("Image", image_id))
        if known is None:
            digest = await asyncio.to_thread(_digest, source)
            known = self.machine.images[image_id] = Image(image_id=image_id, path=str(source), sha256=digest)
        return known

    async def discard(self, image_id: str) -> None:
        """Forget an image."""
        self.machine.images.pop(_checked("Image", image_id), None)

    async def create(self, workload: Workload) -> None:
        """Note a workload; 409 if its id is that of another one."""
        known = self.machine.apps.get(_checked("Instance", workload.instance_id))
        if known is not None:
            if known.workload != workload:
                raise conflict(f"Workload {workload.instance_id} exists", "it has other values; delete it first")
            return
        self._check_image(workload)
        for name in workload.files:
            _check_inner(name)
        behaviour(workload)
        self.machine.apps[workload.instance_id] = App(workload)

    async def start(self, instance_id: str) -> WorkloadStatus:
        """Let it behave as its command says."""
        app = self.machine.app(_checked("Instance", instance_id))
        if app.pid is None:
            self._check_image(app.workload)
            self.machine.start(app)
        return app.status()

    async def stop(self, instance_id: str, grace: float) -> WorkloadStatus:
        """End it as its behaviour lets it end."""
        app = self.machine.app(_checked("Instance", instance_id))
        if app.pid is not None:
            await self.machine.stop(app, grace)
        return app.status()

    async def delete(self, instance_id: str) -> None:
        """Forget it and what it has not been asked about."""
        self.machine.remove(_checked("Instance", instance_id))

    async def status(self, instance_id: str) -> WorkloadStatus:
        """As it is now."""
        return self.machine.app(_checked("Instance", instance_id)).status()

    async def list(self) -> list[WorkloadStatus]:
        """All of the machine."""
        return [app.status() for app in self.machine.apps.values()]

    async def output(self, instance_id: str) -> bytes:
        """What its behaviour wrote."""
        return self.machine.app(_checked("Instance", instance_id)).output

    async def events(self) -> AsyncIterator[WorkloadEvent]:
        """Exits that nobody asked for; one is dealt with when its reader comes back for the next."""
        while not self._closed:
            if not self.machine.news:
                self._news.clear()
                await self._news.wait()
                continue
            event = self.machine.news[0]
            yield event
            if event in self.machine.news:
                self.machine.news.remove(event)

    async def close(self) -> None:
        """End the readers; the machine keeps everything."""
        self._closed = True
        self._news.set()
        self.machine.listeners.discard(self._news)

    def _check_image(self, workload: Workload) -> None:
        if workload.image_id not in self.machine.images:
            raise not_found("image", workload.image_id)


def _digest(source: Path) -> str:
    digest = hashlib.sha256()
    try:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            digest.update(str(path.relative_to(source)).encode() + b"\0" + path.read_bytes())
    except OSError as error:
        raise bad_request(f"Image source {source}", f"cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def _checked(kind: str, value: str) -> str:
    if not _IDENTIFIER.fullmatch(value):
        rule = "1 to 128 letters, digits, '.', '_' and '-', beginning with a letter or digit"
        raise bad_request(f"{kind} id {value[:140]!r}", f"give {rule}")
    return value


def _check_inner(name: str) -> None:
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise bad_request(f"files: {name[:140]!r}", "give a path below the workload's directory, without '..'")
