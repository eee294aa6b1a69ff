"""The machine: what outlives a VIM. Two drivers over one machine are a VIM before and after a restart."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field

from hanse.drivers.compute_fake.behaviour import behaviour
from hanse.kit.problems import not_found
from hanse.kit.values import ABSENT
from hanse.refpoints.mm7 import ExitRecord, Image, Workload, WorkloadEvent, WorkloadState, WorkloadStatus

SIGKILL, SIGTERM = 9, 15


@dataclass
class App:
    """A workload with what it has written, its process if it runs, and how it ended last."""

    workload: Workload
    output: bytes = b""
    pid: int | None = None
    exit: ExitRecord | None = None

    def status(self) -> WorkloadStatus:
        """As a VIM sees it."""
        identifier = self.workload.instance_id
        if self.pid is not None:
            return WorkloadStatus(instance_id=identifier, state=WorkloadState.RUNNING, pid=self.pid)
        if self.exit is not None:
            return WorkloadStatus(instance_id=identifier, state=WorkloadState.EXITED, exit=self.exit)
        return WorkloadStatus(instance_id=identifier, state=WorkloadState.CREATED)


@dataclass
class Machine:
    """Images, apps, and exits that nobody asked for and that no VIM has dealt with yet."""

    images: dict[str, Image] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    news: list[WorkloadEvent] = field(default_factory=list)
    listeners: set[asyncio.Event] = field(default_factory=set)
    _pids: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))

    def app(self, instance_id: str) -> App:
        """An app; 404 if there is none."""
        if instance_id not in self.apps:
            raise not_found("workload", instance_id)
        return self.apps[instance_id]

    def start(self, app: App) -> None:
        """Run it; one whose behaviour is to exit does so as soon as the caller lets it."""
        acts = behaviour(app.workload)
        app.pid, app.exit = next(self._pids), None
        app.output = (app.output + acts.writes)[-app.workload.limits.output :]
        if acts.exits is not None:
            asyncio.get_running_loop().call_soon(self._exit_by_itself, app, app.pid, acts.exits)

    async def stop(self, app: App, grace: float) -> None:
        """Ask it to end; make it after ``grace`` seconds."""
        acts, pid = behaviour(app.workload), app.pid
        if acts.deaf:
            await asyncio.sleep(grace)
        if app.pid is None or app.pid != pid:
            return
        if acts.deaf:
            self._ended(app, signal=SIGKILL)
        elif acts.obeys is not None:
            self._ended(app, code=acts.obeys)
        else:
            self._ended(app, signal=SIGTERM)

    def crash(self, instance_id: str, code: int = 1, words: str = "") -> None:
        """Let a running app end by itself, as a test needs it."""
        app = self.app(instance_id)
        if words:
            app.output += words.encode()
        if app.pid is not None:
            self._exit_by_itself(app, app.pid, code)

    def remove(self, instance_id: str) -> None:
        """Let nothing be left of an app."""
        self.apps.pop(instance_id, None)
        self.news = [event for event in self.news if event.instance_id != instance_id]

    def _exit_by_itself(self, app: App, pid: int, code: int) -> None:
        if app.pid != pid or self.apps.get(app.workload.instance_id) is not app:
            return
        exited = self._ended(app, code=code)
        self.news.append(WorkloadEvent(instance_id=app.workload.instance_id, state=WorkloadState.EXITED, exit=exited))
        for listener in self.listeners:
            listener.set()

    def _ended(self, app: App, *, code: int | None = None, signal: int | None = None) -> ExitRecord:
        app.pid = None
        app.exit = ExitRecord(
            exit_code=ABSENT if code is None else code, signal=ABSENT if signal is None else signal, at=time.time()
        )
        return app.exit
