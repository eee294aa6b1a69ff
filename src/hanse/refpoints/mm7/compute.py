"""What a VIM asks of a compute driver, whatever runs the workloads (process, wasm, container, virtual machine)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from hanse.kit.values import ABSENT, Absent, Value


class Capabilities(Value):
    """What a driver found by trying on this machine; ``lacks`` tells each missing thing with its reason."""

    kind: str
    available: bool
    isolates: tuple[str, ...] = ()
    lacks: dict[str, str] = {}


class Image(Value):
    """A software image in the VIM's image store: a directory or file and the command that runs it."""

    image_id: str
    path: str
    sha256: str = ""


class Limits(Value):
    """Bounds on a workload, 0 for none.

    Memory, output and the largest file that it may write in bytes, CPU share in thousandths of a core.
    """

    memory: int = 256 * 1024 * 1024
    open_files: int = 256
    output: int = 1024 * 1024
    cpu_milli: int = 0
    largest_file: int = 0


class Volume(Value):
    """A directory of the host that is a workload's to write in, and how many bytes its files may take together."""

    path: str
    size: int


class Workload(Value):
    """What to run. ``command`` is relative to the image; ``address`` is the workload's own address on the host."""

    instance_id: str
    image_id: str
    command: tuple[str, ...]
    address: str
    environment: dict[str, str] = {}
    files: dict[str, str] = {}
    limits: Limits = Limits()
    volume: Volume | Absent = ABSENT


class WorkloadState(StrEnum):
    """CREATED: directory and files are there; RUNNING: the process lives; EXITED: it ended, its exit is recorded."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    EXITED = "EXITED"


class ExitRecord(Value):
    """How a workload ended: an exit code, or the number of the signal that ended it; time in Unix seconds.

    ``reason``: why the host ended it, which nobody had asked for.
    """

    exit_code: int | Absent = ABSENT
    signal: int | Absent = ABSENT
    at: float = 0.0
    reason: str | Absent = ABSENT


class WorkloadStatus(Value):
    """A workload as it is now."""

    instance_id: str
    state: WorkloadState
    pid: int | Absent = ABSENT
    exit: ExitRecord | Absent = ABSENT


class WorkloadEvent(Value):
    """A workload changed its state by itself (it exited)."""

    instance_id: str
    state: WorkloadState
    exit: ExitRecord | Absent = ABSENT


class Compute(Protocol):
    """A compute driver. Every method is idempotent by instance (or image) id, so that a step may run twice.

    Drivers raise only `hanse.kit.problems.Problem`, never their vendor's errors.
    """

    async def capabilities(self) -> Capabilities:
        """What this driver can do here, found out by trying."""

    async def prepare(self, image_id: str, source: Path) -> Image:
        """Take an image (a directory of files) into the store; the same id twice is the same image."""

    async def discard(self, image_id: str) -> None:
        """Remove an image; an unknown one is no error."""

    async def create(self, workload: Workload) -> None:
        """Lay out the workload's own directory with its files; nothing runs yet."""

    async def start(self, instance_id: str) -> WorkloadStatus:
        """Run it and return once the process exists; a workload that already runs is left as it is."""

    async def stop(self, instance_id: str, grace: float) -> WorkloadStatus:
        """Ask it to end, after ``grace`` seconds make it end; its exit is recorded."""

    async def delete(self, instance_id: str) -> None:
        """Stop it at once if need be and remove everything it had; an unknown one is no error."""

    async def status(self, instance_id: str) -> WorkloadStatus:
        """The workload as it is now; 404 if unknown."""

    async def list(self) -> list[WorkloadStatus]:
        """All workloads, also those found again after a restart of the VIM."""

    async def output(self, instance_id: str) -> bytes:
        """The last bytes the workload wrote, bounded by its limits."""

    def events(self) -> AsyncIterator[WorkloadEvent]:
        """State changes that nobody asked for, also after a restart, for what is still there."""

    async def close(self) -> None:
        """Let go of the workloads without stopping them."""
