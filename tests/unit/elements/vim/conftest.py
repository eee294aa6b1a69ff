"""A VIM over a machine in memory, and images for it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from hanse.drivers.compute_fake import FakeCompute, Machine
from hanse.elements.vim import Vim
from hanse.elements.vim.domain import Equipment
from hanse.kit.contract.declare import Stream
from hanse.kit.problems import unreachable
from hanse.kit.store import Store
from hanse.refpoints.mm6.workloads import WorkloadEvents, WorkloadInfo

EQUIPMENT = Equipment(memory=1000, cpu_milli=2000, addresses=("127.9.0.1", "127.9.0.2"))


class Manager(WorkloadEvents):
    """A platform manager that notes which workloads ended by themselves; it may be away, or busy with some."""

    def __init__(self) -> None:
        self.away = 0
        self.busy: set[str] = set()
        self.asked: list[str] = []
        self.told: list[WorkloadInfo] = []
        self.news = asyncio.Event()

    async def workload_ended(self, info: WorkloadInfo) -> None:
        self.asked.append(info.app_instance_id)
        if self.away > 0 or info.app_instance_id in self.busy:
            self.away -= 1
            raise unreachable("mepm.harbour")
        self.told.append(info)
        self.news.set()


@dataclass
class Bench:
    """A VIM whose machine, store and directory a test can look into; another VIM over them is a restart."""

    directory: Path
    machine: Machine
    manager: Manager
    stores: list[Store] = field(default_factory=list)

    def vim(self) -> Vim:
        """The VIM as it starts, on the store that is on disk."""
        self.stores.append(Store(self.directory / "vim.sqlite"))
        return Vim("harbour", EQUIPMENT, self.stores[-1], self.driver(), self.directory, self.manager)

    def driver(self) -> FakeCompute:
        return FakeCompute(self.machine)

    def files(self) -> list[Path]:
        """What lies in the directory besides the store."""
        return [path for path in self.directory.rglob("*") if path.suffix and "sqlite" not in path.name]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "vim", Machine(), Manager())
    yield made
    for store in made.stores:
        store.close()


@pytest.fixture
def vim(bench: Bench) -> Vim:
    return bench.vim()


def image(*command: str, **files: str) -> tuple[str, bytes]:
    """An archive whose app has this command, or these files instead; its id and its bytes."""
    members = files or {"process.json": msgspec.json.encode({"command": command}).decode()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in members.items():
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return hashlib.sha256(packed.getvalue()).hexdigest(), packed.getvalue()


def stream(content: bytes, *, breaks: bool = False) -> Stream:
    """Content as it comes over a network, in small pieces; one that breaks ends in an error."""

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 100):
            yield content[start : start + 100]
        if breaks:
            raise ConnectionResetError("the peer went away")

    return Stream(chunks())
