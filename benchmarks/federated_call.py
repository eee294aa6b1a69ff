"""``federated-call``: a 1 KB echo from an application at north through both operators to an application at south.

north's platform, Mpp-fed, south's border and platform, the speech example, and back, on warm connections, each operator
one process. The floor is two TLS proxy hops of the same parts in front of the same application, without tokens, records
or rules; beside it a service that speaks TLS itself, called directly.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from benchmarks import bare_proxy, caller
from benchmarks.offer import lookup, speech_at_south
from benchmarks.population import populate, token
from benchmarks.processes import ROOT, cpu_seconds, environment, program, serving
from benchmarks.report import ROUNDS, Report, Target, Tell, ratio_of, spread
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.kit.problems import Problem
from hanse.scenarios.stage import Stage

TARGETS = {"two_bare_hops": Target(bound=1.5, kind="at most")}
PLATFORM = "mep.harbour"
APP = "caller"
FIRST, SECOND, DIRECT = 18543, 18544, 18545


class Size(msgspec.Struct, frozen=True):
    """How large a run is."""

    calls: int = 300
    body: int = 1024
    rounds: int = ROUNDS

    @property
    def calls_made(self) -> int:
        """Calls of a round with those that do not count."""
        return max(1, self.calls // caller.BLOCK) * (caller.BLOCK + caller.WARM)


def run(tell: Tell, size: Size | None = None) -> Report:
    """Measure and compare."""
    with tempfile.TemporaryDirectory(prefix="hanse-bench-") as directory, ExitStack() as stack:
        stage = Stage(Path(directory))
        stack.callback(stage.clear)
        return _Bench(stage, size or Size(), tell).run(stack)


class _Bench:
    def __init__(self, stage: Stage, size: Size, tell: Tell) -> None:
        self._stage, self._size, self._tell = stage, size, tell
        self._north = stage.operator("north")
        self._platform = elements(self._north)[PLATFORM]
        self._identities = Identities(self._north)

    def run(self, stack: ExitStack) -> Report:
        asyncio.run(populate(self._north, PLATFORM, [APP], []))
        application = asyncio.run(speech_at_south(self._stage))
        authority = self._identities.authority_path
        text = token(self._north, PLATFORM, APP, authority)
        remote = lookup(self._platform.url, text, authority)
        stack.enter_context(serving("benchmarks.bare_proxy", self._hop(SECOND, application)))
        stack.enter_context(serving("benchmarks.bare_proxy", self._hop(FIRST, self._url(SECOND))))
        stack.enter_context(serving("benchmarks.bare_proxy", self._hop(DIRECT, "")))
        ways = {
            "hanse": caller.Way(self._platform.port, urlsplit(remote).path + "/echo", f"Bearer {text}"),
            "two_bare_hops": caller.Way(FIRST, "/v1/echo"),
            "direct_tls": caller.Way(DIRECT, "/v1/echo"),
        }
        return self._measured(ways)

    def _measured(self, ways: dict[str, caller.Way]) -> Report:
        rounds: dict[str, list[float]] = {name: [] for name in ways}
        pids = {running.operator: running.pid for running in self._stage.deployment.running()}
        used: dict[str, list[float]] = {name: [] for name in pids}
        for number in range(self._size.rounds):
            before = {operator: cpu_seconds(pid) for operator, pid in pids.items()}
            for name, median in self._medians(ways).items():
                rounds[name].append(median)
            for operator, pid in pids.items():
                used[operator].append((cpu_seconds(pid) - before[operator]) / self._size.calls_made * 1e3)
            told = ", ".join(f"{name} {series[-1]:.2f} ms" for name, series in rounds.items())
            self._tell(f"round {number + 1}: {told}")
        return Report(
            bench="federated-call",
            figures={
                "median_ms": spread(rounds["hanse"]),
                "cpu_ms_per_call": {name: spread(series) for name, series in used.items()},
                "body_bytes": self._size.body,
                "calls_per_round": self._size.calls,
            },
            floor={
                "two_bare_hops_ms": spread(rounds["two_bare_hops"]),
                "direct_tls_ms": spread(rounds["direct_tls"]),
            },
            ratio={
                "two_bare_hops": ratio_of(rounds["hanse"], rounds["two_bare_hops"]),
                "direct_tls": ratio_of(rounds["hanse"], rounds["direct_tls"]),
            },
        )

    def _url(self, port: int) -> str:
        return f"https://{self._platform.address}:{port}"

    def _hop(self, port: int, target: str) -> bytes:
        identity = self._identities.of_element(self._platform)
        plan = bare_proxy.Plan(
            host=self._platform.address,
            port=port,
            certificate=str(identity.certificate_path),
            key=str(identity.key_path),
            authority=str(self._identities.authority_path),
            target=target,
        )
        return msgspec.json.encode(plan)

    def _medians(self, ways: dict[str, caller.Way]) -> dict[str, float]:
        """The median of one round for each way, in milliseconds."""
        plan = caller.Plan(
            host=self._platform.address,
            authority=str(self._identities.authority_path),
            size=self._size.body,
            calls=self._size.calls,
            ways=ways,
        )
        ran = subprocess.run(
            program("benchmarks.caller"),
            input=msgspec.json.encode(plan) + b"\n",
            stdout=subprocess.PIPE,
            env=environment(),
            cwd=ROOT,
            timeout=120,
            check=False,
        )
        if ran.returncode:
            raise Problem(500, "The caller got a wrong answer", "what it said is above")
        seconds = msgspec.json.decode(ran.stdout, type=dict[str, list[float]])
        return {name: statistics.median(series) * 1e3 for name, series in seconds.items()}
