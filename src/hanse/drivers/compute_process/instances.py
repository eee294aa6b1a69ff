"""What is on disk of each instance, and what that says of its state now. Everything here blocks, shortly."""

from __future__ import annotations

import contextlib
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hanse.drivers.compute_process import record
from hanse.drivers.compute_process.names import identifier, inner_path
from hanse.drivers.compute_process.plan import Spec
from hanse.drivers.compute_process.processes import alive, kill, remains
from hanse.drivers.compute_process.tail import last
from hanse.drivers.compute_process.trees import remove
from hanse.drivers.compute_process.troubles import translated
from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem, conflict, not_found
from hanse.kit.values import ABSENT
from hanse.refpoints.mm7 import ExitRecord, WorkloadState, WorkloadStatus

GONE = ".gone-"
"""Directories named so are being removed; no identifier begins with a dot."""
_TOLD = "exit.told"
_ROUNDS, _ROUND = 500, 0.01


class Instance:
    """The directory of one instance; nothing is held in memory, so that a restarted VIM sees what the last one saw."""

    def __init__(self, instances: Path, instance_id: str) -> None:
        self.id = identifier("Instance", instance_id)
        self.path = instances / self.id

    def __str__(self) -> str:
        return f"workload {self.id}"

    @property
    def work(self) -> Path:
        """The workload's own directory: where it starts, and its home."""
        return self.path / record.WORK

    def spec(self) -> Spec:
        """What runs here; 404 if nothing was created under this id."""
        try:
            return msgspec.json.decode((self.path / record.SPEC).read_bytes(), type=Spec)
        except (FileNotFoundError, NotADirectoryError):
            raise not_found("workload", self.id) from None
        except msgspec.MsgspecError as error:
            raise Problem(
                500, f"{self}: {record.SPEC} is damaged", f"delete the workload, then create it: {error}"
            ) from error

    def run(self) -> record.Run | None:
        """Who runs, or ran last."""
        return record.read_run(str(self.path))

    def exit(self) -> ExitRecord | None:
        """How the last run ended, ``None`` while there was none or it goes on."""
        found = record.read(str(self.path / record.EXIT))
        return msgspec.convert(found, ExitRecord) if found else None

    def output(self) -> bytes:
        """The last bytes the workload wrote, as many as its limits keep."""
        return last(str(self.path / record.OUTPUT), self.spec().run.output)

    def holds(self, spec: Spec) -> bool:
        """Whether this very workload was created already; 409 if the id was given to another one."""
        if not (self.path / record.SPEC).exists():
            return False
        if self.spec().workload == msgspec.structs.replace(spec.workload, volume=ABSENT) and spec.workload.volume:
            return False  # laid out by an earlier release, which did not know of volumes
        if self.spec().workload != spec.workload:
            raise conflict(f"Workload {self.id} exists", "it has other values; delete it first, or take another id")
        return True

    @effect("compute.create")
    def lay_out(self, spec: Spec) -> None:
        """Make the directory with the workload's files; ``spec.json`` comes last and makes it exist."""
        with translated(str(self)):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for directory in (self.path, self.work):
                directory.mkdir(mode=0o700, exist_ok=True)  # environment and files may hold credentials
            for name, content in spec.workload.files.items():
                target = self.work / inner_path(name)
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                target.write_text(content, encoding="utf-8")
            (self.path / record.LOCK).touch(mode=0o600)
            record.write(str(self.path / record.SPEC), msgspec.json.encode(spec))

    def look(self) -> WorkloadStatus | None:
        """The state as it is now, ``None`` while a supervisor is just starting or ending; 404 if unknown."""
        self.spec()
        run = self.run()
        settled = self._settled(run, running=run is not None and alive(run.supervisor))
        if settled is not None:
            return settled
        with record.locked(str(self.path)) as ours:
            if not ours:
                return None
            # Nobody else is at it now: what is still unsettled is a run that ended without a word, or none.
            run = self.run()
            if run is not None and self.exit() is None:
                self._bury(run)
            return self._settled(run, running=False) or WorkloadStatus(instance_id=self.id, state=WorkloadState.CREATED)

    def _settled(self, run: record.Run | None, running: bool) -> WorkloadStatus | None:
        ended = self.exit()
        if ended is not None:
            return WorkloadStatus(instance_id=self.id, state=WorkloadState.EXITED, exit=ended)
        if run is not None and running:
            return WorkloadStatus(instance_id=self.id, state=WorkloadState.RUNNING, pid=run.app.pid)
        return None

    def _bury(self, run: record.Run) -> None:
        """The supervisor was killed, and the kernel killed the workload with it: kill what is left, record the end."""
        self._end_remains(run)
        with translated(f"the exit of {self}"):
            record.write_exit(str(self.path), signal.SIGKILL)

    def _end_remains(self, run: record.Run) -> None:
        for _ in range(_ROUNDS):
            left = remains(run.app, str(self.work))
            for pid in left:
                kill(pid)
            if not left:
                return
            time.sleep(_ROUND)

    def told(self, ended: ExitRecord) -> bool:
        """Whether this exit was reported, by this VIM or the one before."""
        return bool(record.read(str(self.path / _TOLD)) == ended.at)

    def tell(self, ended: ExitRecord) -> None:
        """Remember that this exit was reported; if that finds no room it will be reported once more."""
        try:
            record.write(str(self.path / _TOLD), msgspec.json.encode(ended.at))
        except OSError:
            return

    @effect("compute.delete")
    def remove(self) -> bool:
        """Take the directory away; ``False`` while a supervisor still has the lock."""
        gone = self.path.parent / f"{GONE}{self.id}-{secrets.token_hex(8)}"
        with translated(f"removal of {self}"), record.locked(str(self.path)) as ours:
            if not ours and (self.path / record.LOCK).exists():
                return False
            run = self.run()
            if run is not None and self.exit() is None:
                self._end_remains(run)
            # In one step it is out of sight; a crash while it is taken apart leaves no half instance.
            with contextlib.suppress(FileNotFoundError):
                self.path.rename(gone)
            remove(gone)
        return True


def every(instances: Path) -> Iterator[Instance]:
    """All instances that were created, in the order of their ids."""
    for path in sorted(instances.glob(f"*/{record.SPEC}")):
        yield Instance(instances, path.parent.name)


def tidy(instances: Path) -> None:
    """Remove what a crash left of instances that were being deleted."""
    for gone in instances.glob(f"{GONE}*"):
        with contextlib.suppress(OSError):
            remove(gone)
