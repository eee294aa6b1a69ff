"""The stage of a scenario: operators of its own, the example applications, devices."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import hanse
from hanse.assembly import planes
from hanse.assembly.administration import administration
from hanse.assembly.deployment import Deployment, renumbered
from hanse.assembly.devices import device
from hanse.assembly.onboarding import on_board
from hanse.assembly.settings import Settings
from hanse.assembly.workloads import workload_processes
from hanse.elements.ue import Device
from hanse.kit.contract.observe import Message
from hanse.kit.ports import addresses_in_use
from hanse.kit.problems import Problem
from hanse.kit.telemetry.live import live
from hanse.kit.telemetry.procedures import Procedure, procedures
from hanse.kit.telemetry.reader import read
from hanse.model.package import build
from hanse.scenarios.waiting import PATIENCE

CLAIMS = 70
"""Scenarios that can run beside each other: each takes two networks from 127.100.0.0/16 and 10.100.0.0/16 on."""
_NETS, _OPERATORS = (127, 10), ((0, 10), (1, 20))
"""Networks of the templates: of the operators on loopback, and behind the kernel's data plane."""
EXAMPLES = Path(hanse.__file__).resolve().parents[2] / "examples"


class Stage:
    """Two operators in a directory that vanishes afterwards, on addresses that nobody else on this machine uses."""

    def __init__(self, directory: Path, *, separate: bool = False, data_plane: str = "userspace") -> None:
        if not EXAMPLES.is_dir():
            raise Problem(404, "The examples are missing", f"scenarios need them at {EXAMPLES}: use a checkout")
        template = planes.template_of(data_plane)
        self.directory = directory
        self.separate, self.data_plane = separate, data_plane
        self._claim, self.networks = claim()
        self._virtual = virtual(self.networks, data_plane)
        self.deployment = Deployment.from_template(directory, template, self.networks)
        self.started = 0

    def operator(self, name: str) -> Settings:
        """The settings of an operator."""
        return self.deployment.settings(name)

    async def start(self) -> None:
        """Start the operators."""
        await asyncio.to_thread(self.deployment.start, separate=self.separate)
        self.started = len(list(self.deployment.running()))

    def package(self, name: str, provider: str) -> Path:
        """Build an example's package, signed by its provider."""
        signer = self.deployment.signer(provider)
        source, out = self.directory / "sources" / name, self.directory / f"{name}.csar"
        if not source.exists():
            shutil.copytree(EXAMPLES / name, source)
            for definition in (source / "Definitions").glob("*.yaml"):
                definition.write_text(renumbered(definition.read_text(), self._virtual))
        return build(source, out, certificate=signer.certificate_path, key=signer.key_path)

    async def on_board(self, operator: str, archive: Path) -> tuple[str, str]:
        """On-board a package at an operator; its package id and its descriptor id."""
        async with administration(self.operator(operator)) as oss:
            info = await on_board(oss.packages, archive)
            return info.id, str(info.app_d_id)

    def device(self, operator: str, name: str) -> Device:
        """A device of an operator; on a busy machine it waits longer than one that somebody holds."""
        found = device(self.operator(operator), name)
        found.timeout = PATIENCE
        return found

    def device_at(self, operator: str, address: str, host: str) -> Device:
        """A device on loopback with any address, which asks the name server of a host."""
        names = self.operator(operator).hosts[host].names
        return Device(address, (names.address, names.port), timeout=PATIENCE)

    def procedures(self) -> list[Procedure]:
        """What crossed the reference points of both operators so far, by procedure, newest last."""
        directories = [settings.directory / "journal" for settings in self.deployment.operators.values()]
        return procedures(read(directories))

    def live(self) -> AsyncGenerator[Message, None]:
        """What crosses the reference points of both operators from now on."""
        directories = [settings.directory / "journal" for settings in self.deployment.operators.values()]
        return live(directories, period=0.05)

    def workloads(self) -> list[int]:
        """Processes of workloads that run now."""
        return [pid for settings in self.deployment.operators.values() for pid in workload_processes(settings)]

    def images(self) -> list[Path]:
        """Images that hosts keep."""
        operators = self.deployment.operators.values()
        return [path for s in operators for path in s.directory.glob("vim.*/compute/images/*")]

    def left(self) -> list[int]:
        """Processes of the scenario that still run."""
        return [running.pid for running in self.deployment.running()] + self.workloads()

    def spaces(self) -> list[str]:
        """Network namespaces of the scenario that are there."""
        return planes.left(self.deployment.operators.values())

    def clear(self) -> None:
        """Stop all that was started, and give the addresses back."""
        self.deployment.stop()
        os.close(self._claim)


def virtual(networks: Mapping[str, str], data_plane: str) -> dict[str, str]:
    """How addresses that packages claim are renumbered: those on loopback are of no use behind the kernel's."""
    net = {"userspace": 127, "nftables": 10}[data_plane]
    return {f"127.{own}.": networks[f"{net}.{own}."] for _, own in _OPERATORS}


def claim() -> tuple[int, dict[str, str]]:
    """Networks for two operators that no other stage on this machine has; they are ours until the handle is closed.

    What a stage left that was killed keeps its networks for as long as it runs.
    """
    taken = {".".join(address.split(".")[:2]) for address in addresses_in_use()}
    for number in range(CLAIMS):
        networks = {f"{net}.{own}.": f"{net}.{100 + 2 * number + n}." for net in _NETS for n, own in _OPERATORS}
        if taken.isdisjoint(network.rstrip(".") for network in networks.values()):
            handle = _locked(number)
            if handle is not None:
                return handle, networks
    raise Problem(503, "No addresses left", f"{CLAIMS} scenarios run on this machine already")


def _locked(number: int) -> int | None:
    """A lock that all users of this machine see: a name in the abstract namespace of Unix sockets, gone with us."""
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        lock.bind(f"\0hanse-network-{number}")
    except OSError:
        lock.close()
        return None
    return lock.detach()


def example_module(directory: str) -> None:
    """Make the example's own modules importable (the device's tones)."""
    path = str(EXAMPLES / directory)
    if path not in sys.path:
        sys.path.insert(0, path)
