"""A deployment: several operators on this machine, each one or many processes, started and stopped together."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.assembly.settings import Settings, load
from hanse.kit.certificates import Authority, Identity
from hanse.kit.problems import Problem, bad_request

TEMPLATES = Path(__file__).parent / "deployments"
READY_PATIENCE = 60.0
"""Seconds that a process may take until it is ready."""
STOP_PATIENCE = 15.0
"""Seconds that a process may take to stop before it is killed."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Running:
    """A process that is ready, by its own record."""

    operator: str
    name: str
    pid: int


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
        self.prepare()
        running = {(r.operator, r.name) for r in self.running()}
        if running:
            names = ", ".join(sorted({operator for operator, _ in running}))
            raise Problem(409, f"{names} runs already", "hanse down stops it")
        started: list[tuple[Settings, str, subprocess.Popen[bytes]]] = []
        try:
            for settings in self.operators.values():
                started += self.start_operator(settings, separate=separate)
            for settings, name, process in started:
                self._await_ready(settings, name, process)
                tell(f"{settings.operator.name}: {name} is ready (pid {process.pid})")
        except BaseException:
            for _, _, process in started:
                _end(process.pid)
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
                try:
                    pid = int(json.loads(record.read_text())["pid"])
                except (OSError, ValueError, KeyError):
                    continue
                if _is_ours(pid):
                    yield Running(operator, record.stem, pid)

    def stop(self) -> int:
        """Stop every process; the number stopped. Workloads are ended too: nothing is left behind."""
        pids = [running.pid for running in self.running()]
        for pid in pids:
            _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE
        for pid in pids:
            while _is_ours(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            if _is_ours(pid):
                _end(pid)
        for settings in self.operators.values():
            end_workloads(settings)
        return len(pids)

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

    def _await_ready(self, settings: Settings, name: str, process: subprocess.Popen[bytes]) -> None:
        record = settings.directory / "run" / f"{name}.json"
        deadline = time.monotonic() + READY_PATIENCE
        while not record.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Problem(500, f"{settings.operator.name}: {name} did not start", _last_words(settings, name))
            time.sleep(0.02)


def renumbered(text: str, networks: Mapping[str, str]) -> str:
    """A text with the prefixes of addresses replaced."""
    for prefix, other in networks.items():
        text = re.sub(rf"(?<![\d.]){re.escape(prefix)}", other, text)
    return text


def workload_processes(settings: Settings) -> list[int]:
    """Processes on this machine that belong to workloads of an operator: supervisors and apps."""
    marks = [str(settings.directory / name) for name in elements(settings) if name.startswith("vim.")]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _mentions(entry, marks):
            found.append(int(entry.name))
    return found


def end_workloads(settings: Settings) -> None:
    """Kill what is left of an operator's workloads once its processes have stopped."""
    for _ in range(20):
        left = workload_processes(settings)
        for pid in left:
            _signal(pid, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.1)


def _mentions(entry: Path, marks: list[str]) -> bool:
    try:
        command = (entry / "cmdline").read_bytes().decode(errors="replace")
        directory = os.readlink(entry / "cwd")
    except OSError:
        return False
    return any(mark in command or directory.startswith(mark) for mark in marks)


def _is_ours(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return b"hanse" in command and state != "Z"


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _end(pid: int) -> None:
    _signal(pid, signal.SIGKILL)


def _last_words(settings: Settings, name: str) -> str:
    log = settings.directory / "log" / f"{name}.log"
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "it wrote no log"
    return f"{lines[-1] if lines else 'it wrote nothing'} (see {log})"
