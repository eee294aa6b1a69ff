"""A deployment: several operators on this machine, each one or many processes, started and stopped together."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from hanse.assembly import planes
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.assembly.settings import Settings, load
from hanse.assembly.spawning import READY_PATIENCE, Running, await_ready, running_of, spawn
from hanse.assembly.turns import turn
from hanse.assembly.uninterrupted import uninterrupted
from hanse.assembly.workloads import end_workloads
from hanse.drivers.compute_process import processes
from hanse.kit.certificates import Authority, Identity
from hanse.kit.problems import Problem, bad_request

TEMPLATES = Path(__file__).parent / "deployments"
STOP_PATIENCE = 15.0
"""Seconds that a process may take to stop before it is killed."""
TURN_PATIENCE = READY_PATIENCE + STOP_PATIENCE
"""Seconds to wait for whoever is starting or stopping the deployment already."""

Tell = Callable[[str], None]


class Deployment:
    """Operators whose configuration files lie in one directory, with everything that they keep."""

    def __init__(self, file: Path) -> None:
        self.file = file.resolve()
        self.directory = self.file.parent
        try:
            raw = tomllib.loads(self.file.read_text())
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise bad_request(f"Cannot read {file}", str(error)) from None
        names = raw.get("operators", [])
        if not isinstance(names, list) or not names or set(raw) - {"operators"}:
            raise bad_request(f"{file}: Invalid key operators", 'operators = ["north.toml", …] and nothing else')
        self.operators: dict[str, Settings] = {}
        for name in names:
            settings = load(self.directory / str(name))
            if settings.operator.name in self.operators:
                raise bad_request(f"{name}: Invalid key operator.name", f"{settings.operator.name} is there already")
            self.operators[settings.operator.name] = settings

    @classmethod
    def from_template(
        cls, directory: Path, template: str = "two-operators", networks: Mapping[str, str] | None = None
    ) -> Deployment:
        """A deployment in ``directory`` with configuration files to start from; files that are there are kept.

        ``networks`` replaces prefixes of addresses (``127.10.``), so that several can run beside each other.
        """
        directory.mkdir(parents=True, exist_ok=True)
        for source in (TEMPLATES / template).iterdir():
            target = directory / source.name
            if not target.exists():
                target.write_text(renumbered(source.read_text(), networks or {}))
        return cls(directory / "deployment.toml")

    def settings(self, operator: str) -> Settings:
        """The settings of an operator; a problem 404 lists what there is."""
        if operator not in self.operators:
            raise Problem(404, f"No operator {operator}", f"there are {', '.join(self.operators)}")
        return self.operators[operator]

    def prepare(self) -> None:
        """Make every operator's authority, so that partners can trust it, and that of the app providers."""
        for settings in self.operators.values():
            Identities(settings)
        self.provider_authority()

    def provider_authority(self) -> Authority:
        """The authority that certifies providers of applications in this deployment."""
        return Authority.ensure(self.directory / "providers", "providers")

    def signer(self, name: str) -> Identity:
        """A provider's signing certificate."""
        return self.provider_authority().issue_signer(name, self.directory / "providers")

    def start(self, *, separate: bool = False, tell: Tell = lambda _text: None) -> None:
        """Start all operators and return when all are ready; what had started is stopped if one fails."""
        with turn(self.directory, TURN_PATIENCE):
            self._start_unless_running(separate, tell)

    def _start_unless_running(self, separate: bool, tell: Tell) -> None:
        self.prepare()
        running = {(r.operator, r.name) for r in self.running()}
        if running:
            names = ", ".join(sorted({operator for operator, _ in running}))
            raise Problem(409, f"{names} runs already", "hanse down stops it")
        stopping = threading.Event()
        uninterrupted(lambda: self._start(separate, tell, stopping), stopping.set)

    def _start(self, separate: bool, tell: Tell, stopping: threading.Event) -> None:
        started: list[tuple[Settings, str, subprocess.Popen[bytes]]] = []
        try:
            for settings in self.operators.values():
                started += self.start_operator(settings, separate=separate)
            for settings, name, process in started:
                await_ready(settings, name, process, stopping)
                tell(f"{settings.operator.name}: {name} is ready (pid {process.pid})")
        except BaseException:
            for _, _, process in started:
                _end(process)
            raise

    def start_operator(
        self, settings: Settings, *, separate: bool = False, environment: dict[str, str] | None = None
    ) -> list[tuple[Settings, str, subprocess.Popen[bytes]]]:
        """Start the processes of one operator without waiting for them."""
        names = list(elements(settings)) if separate else ["all"]
        return [(settings, name, spawn(settings, name, environment)) for name in names]

    def await_operator(self, started: list[tuple[Settings, str, subprocess.Popen[bytes]]]) -> None:
        """Return when all processes of an operator are ready."""
        for settings, name, process in started:
            await_ready(settings, name, process)

    def running(self) -> Iterator[Running]:
        """The processes that run now."""
        for operator, settings in self.operators.items():
            yield from running_of(operator, settings)

    def stop(self) -> int:
        """Stop every process; the number stopped. Workloads and networks are ended too: nothing is left behind."""
        with turn(self.directory, TURN_PATIENCE):
            return self._stop()

    def _stop(self) -> int:
        operators = [running.process for running in self.running()]
        for process in operators:
            processes.notify(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE
        for process in operators:
            while processes.alive(process) and time.monotonic() < deadline:
                time.sleep(0.05)
            processes.notify(process, signal.SIGKILL)
        for settings in self.operators.values():
            end_workloads(settings)
        planes.clear(self.operators.values())
        return len(operators)


def renumbered(text: str, networks: Mapping[str, str]) -> str:
    """A text with the prefixes of addresses replaced."""
    for prefix, other in networks.items():
        text = re.sub(rf"(?<![\d.]){re.escape(prefix)}", other, text)
    return text


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process of ours and wait until it is gone."""
    process.kill()
    process.wait()
