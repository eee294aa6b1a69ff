"""A deployment: several operators on this machine, each one or many processes, started and stopped together."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hanse.assembly import planes
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.assembly.settings import Settings, load
from hanse.assembly.turns import turn
from hanse.assembly.workloads import end_workloads
from hanse.drivers.compute_process import processes
from hanse.kit.certificates import Authority, Identity
from hanse.kit.problems import Problem, bad_request

TEMPLATES = Path(__file__).parent / "deployments"
READY_PATIENCE = 60.0
"""Seconds that a process may take until it is ready."""
STOP_PATIENCE = 15.0
"""Seconds that a process may take to stop before it is killed."""
TURN_PATIENCE = READY_PATIENCE + STOP_PATIENCE
"""Seconds to wait for whoever is starting or stopping the deployment already."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Running:
    """A process that is ready, by its own record."""

    operator: str
    name: str
    process: processes.Identity

    @property
    def pid(self) -> int:
        """Its process number."""
        return self.process.pid


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
                self._await_ready(settings, name, process, stopping)
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
        return [(settings, name, self._spawn(settings, name, environment)) for name in names]

    def await_operator(self, started: list[tuple[Settings, str, subprocess.Popen[bytes]]]) -> None:
        """Return when all processes of an operator are ready."""
        for settings, name, process in started:
            self._await_ready(settings, name, process)

    def running(self) -> Iterator[Running]:
        """The processes that run now."""
        for operator, settings in self.operators.items():
            for record in sorted((settings.directory / "run").glob("*.json")):
                process = _recorded(record)
                if process is not None and processes.alive(process):
                    yield Running(operator, record.stem, process)

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

    def _spawn(self, settings: Settings, name: str, environment: dict[str, str] | None) -> subprocess.Popen[bytes]:
        log = settings.directory / "log" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        record = settings.directory / "run" / f"{name}.json"
        record.unlink(missing_ok=True)
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "hanse.assembly.process", settings.path, name],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )

    def _await_ready(
        self, settings: Settings, name: str, process: subprocess.Popen[bytes], stopping: threading.Event | None = None
    ) -> None:
        record, stopping = settings.directory / "run" / f"{name}.json", stopping or threading.Event()
        deadline = time.monotonic() + READY_PATIENCE
        while stopping.is_set() or not record.exists():
            if stopping.is_set():
                raise Problem(503, f"{settings.operator.name}: {name} was stopped", "the start was interrupted")
            if process.poll() is not None or time.monotonic() > deadline:
                raise Problem(500, f"{settings.operator.name}: {name} did not start", _last_words(settings, name))
            stopping.wait(0.02)


def uninterrupted(act: Callable[[], object], hurry: Callable[[], object] = lambda: None) -> None:
    """Do something to its end though a signal interrupts: ``hurry`` is called at once, its exception raised afterwards.

    Between making a process and noting it, and in the middle of cleaning up, an exception would leave something behind.
    """
    turn, done, raised = threading.Lock(), threading.Event(), list[BaseException]()

    def run() -> None:
        if not turn.acquire(blocking=False):
            return
        try:
            act()
        except BaseException as error:
            raised.append(error)
        finally:
            done.set()

    try:
        threading.Thread(target=run).start()  # signals interrupt the main thread only
        done.wait()
    except BaseException:
        hurry()
        run()  # unless the thread has begun
        done.wait()
        raise
    if raised:
        raise raised[0]


def renumbered(text: str, networks: Mapping[str, str]) -> str:
    """A text with the prefixes of addresses replaced."""
    for prefix, other in networks.items():
        text = re.sub(rf"(?<![\d.]){re.escape(prefix)}", other, text)
    return text


def _recorded(file: Path) -> processes.Identity | None:
    """The process that a record names; a pid alone could be that of any later process, and is not believed."""
    try:
        found = json.loads(file.read_text())
        return processes.Identity(int(found["pid"]), int(found["started"]), str(found["boot"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process of ours and wait until it is gone."""
    process.kill()
    process.wait()


def _last_words(settings: Settings, name: str) -> str:
    log = settings.directory / "log" / f"{name}.log"
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "it wrote no log"
    return f"{lines[-1] if lines else 'it wrote nothing'} (see {log})"
