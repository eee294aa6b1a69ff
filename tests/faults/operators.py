"""An operator of its own, with one host and no partner, that tests kill and start again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import hanse
from hanse.assembly.administration import administration
from hanse.assembly.deployment import Deployment, renumbered
from hanse.assembly.onboarding import on_board
from hanse.assembly.settings import Settings
from hanse.assembly.workloads import workload_processes
from hanse.elements.ue import Device
from hanse.scenarios.stage import claim
from tests.bounds import SOON
from tests.faults.nursery import Born, Wish, born
from tests.faults.packages import FIRST, Place, package

CONFIGURATION = """\
[operator]
name = "north"
directory = "north"
address = "127.10.0.1"

[federation]
address = "127.10.0.2"

[hosts.harbour]
zone = { name = "north-coast", latitude = 54.32, longitude = 10.14 }
address = "127.10.1.1"
data_plane = "127.10.1.2"
names = { address = "127.10.1.3", zones = ["example.com"] }
apps = "127.10.1.100-127.10.1.131"
memory = "4 GiB"

[devices.alice]
address = "127.10.100.5"
host = "harbour"
latitude = 51.9
longitude = 7.6

[packages]
trust = ["providers/providers.ca.pem"]
"""
MODULE = "hanse.assembly.process"
SOURCES = os.pathsep.join((str(Path(hanse.__file__).parents[1]), str(Path(__file__).parents[2])))
DEATH_PATIENCE = 30.0
"""Seconds in which an armed process must have come to its failpoint."""


class LoneOperator:
    """One process that is the whole operator; ``failpoint`` arms it while it runs (see `hanse.kit.failpoints`)."""

    def __init__(self, directory: Path, configuration: str = CONFIGURATION) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._claim, self.networks = claim()
        (directory / "north.toml").write_text(renumbered(configuration, self.networks))
        (directory / "deployment.toml").write_text('operators = ["north.toml"]\n')
        self.deployment = Deployment(directory / "deployment.toml")
        self.deployment.prepare()
        self._orders = directory / "failpoint"
        self._process: subprocess.Popen[bytes] | Born | None = None

    @property
    def settings(self) -> Settings:
        """Its settings."""
        return self.deployment.settings("north")

    @property
    def process(self) -> subprocess.Popen[bytes] | Born:
        """The process that runs, or ran last."""
        assert self._process is not None
        return self._process

    @property
    def instances(self) -> Path:
        """Where the host keeps the directories of instances."""
        return self.settings.directory / "vim.harbour" / "compute" / "instances"

    def begin(self, failpoint: str = "", module: str = MODULE, within: Sequence[str] = ()) -> None:
        """Start without waiting; armed, if a failpoint is given. ``module`` is the program.

        ``within`` are the words of a command that becomes the program, in surroundings of its own.
        """
        with self._log(failpoint).open("ab") as log:
            self._process = subprocess.Popen(
                [*within, sys.executable, "-m", module, self.settings.path, "all"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.deployment.directory,
                env={**os.environ, "PYTHONPATH": SOURCES, "HANSE_FAILPOINT": str(self._orders)},
                start_new_session=True,
            )

    async def start(self, module: str = MODULE, within: Sequence[str] = ()) -> None:
        """Start, unarmed, and wait until it is ready."""
        if module == MODULE and not within:
            log, directory = self._log(), self.deployment.directory
            wish = Wish((str(self.settings.path), "all"), str(directory), str(log), str(self._orders))
            self._process = await asyncio.to_thread(born, wish)
        else:
            self.begin(module=module, within=within)
        started = cast("subprocess.Popen[bytes]", self._process)
        await asyncio.to_thread(self.deployment.await_operator, [(self.settings, "all", started)])

    def _log(self, failpoint: str = "") -> Path:
        self.arm(failpoint)
        (self.settings.directory / "run" / "all.json").unlink(missing_ok=True)
        file = self.settings.directory / "log" / "all.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def arm(self, failpoint: str) -> None:
        """The next time that it comes by, it dies."""
        part = self._orders.with_suffix(".part")
        part.write_text(failpoint)
        part.replace(self._orders)

    def disarm(self) -> None:
        """Let it live."""
        self._orders.unlink(missing_ok=True)

    async def death(self, patience: float = DEATH_PATIENCE) -> bool:
        """Wait until it has died; ``False`` if it lives on."""
        try:
            await asyncio.to_thread(self.process.wait, patience)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it as by a power cut."""
        self.process.kill()
        self.process.wait()

    async def on_board(self, program: str, variant: str = "", place: Place = FIRST) -> str:
        """Build and on-board the package of an app; its descriptor's id."""
        archive = await asyncio.to_thread(
            package, self.deployment, self.networks, program, variant=variant, place=place
        )
        async with administration(self.settings) as oss:
            return str((await on_board(oss.packages, archive)).app_d_id)

    def apps(self) -> list[int]:
        """Processes of workloads that are not supervisors."""
        return [pid for pid in workload_processes(self.settings) if not _supervises(pid)]

    def alice(self) -> Device:
        """Its device."""
        names = self.settings.hosts["harbour"].names
        return Device(self.settings.devices["alice"].address, (names.address, names.port), timeout=SOON)

    def clear(self) -> None:
        """End everything, and give the addresses back."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self.deployment.stop()
        os.close(self._claim)


def _supervises(pid: int) -> bool:
    try:
        return b"compute_process.supervisor" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
