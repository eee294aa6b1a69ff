"""``dns``: answers that depend on the client's subnet, against Knot with mod-geoip, by dnsperf, in one run.

Every query carries a client subnet of its own (RFC 7871); the rounds alternate. *Cold* is the same server that keeps no
ready answer. Before that the judge compares a million answers with those of dnspython.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dns.message
import dns.query
import msgspec

from benchmarks import dns_judge, knot, names_server
from benchmarks.dns_population import Population
from benchmarks.processes import cpu_seconds, serving
from benchmarks.report import ROUNDS, Report, Target, Tell, ratio_of, spread
from hanse.kit.problems import Problem
from hanse.scenarios.stage import Stage

TARGETS = {"knot_geoip": Target(bound=0.80, kind="at least")}
_PORT, _COLD_PORT, _KNOT_PORT = 10053, 10054, 10055


class Size(msgspec.Struct, frozen=True):
    """How large a run is; ``queries`` in the file that dnsperf repeats, ``judged`` by the judge."""

    population: Population = Population()
    queries: int = 100_000
    seconds: int = 4
    rounds: int = ROUNDS
    judged: int = 1_000_000


def run(tell: Tell, size: Size | None = None) -> Report:
    """Measure and compare."""
    size = size or Size()
    lacking = knot.geoip_missing() or (
        None if shutil.which("dnsperf") else "dnsperf is not installed (Debian: dnsperf)"
    )
    if lacking:
        return Report(bench="dns", figures={}, floor={}, ratio={"knot_geoip": lacking})
    judged, _ = dns_judge.judge_apart(size.judged, tell)
    with tempfile.TemporaryDirectory(prefix="hanse-bench-") as directory, ExitStack() as stack:
        stage = Stage(Path(directory))
        stack.callback(stage.clear)
        return _Bench(
            size, tell, Path(directory), next(iter(stage.operator("north").hosts.values())).names.address
        ).run(stack, judged)


class _Bench:
    def __init__(self, size: Size, tell: Tell, directory: Path, address: str) -> None:
        self._size, self._tell, self._directory, self._address = size, tell, directory, address
        self._queries = directory / "queries"

    def run(self, stack: ExitStack, judged: int) -> Report:
        self._queries.write_bytes(self._size.population.queries(self._size.queries))
        ours = stack.enter_context(self._ours(_PORT, 1 << 20))
        cold = stack.enter_context(self._ours(_COLD_PORT, 0))
        geoip = stack.enter_context(self._knot())
        for port in (_PORT, _COLD_PORT, _KNOT_PORT):
            self._check(port)
        first = self._round(ours.pid, _PORT, once=True)[0]
        hot, bare, none, rates, made, asked = [], [], [], [], _made(ours), 0
        for number in range(self._size.rounds):
            bare.append(self._round(geoip.pid, _KNOT_PORT)[0])
            cost, count, rate = self._round(ours.pid, _PORT)
            none.append(self._round(cold.pid, _COLD_PORT)[0])
            hot.append(cost)
            rates.append(rate)
            asked += count
            self._tell(
                f"round {number + 1}: Hanse {cost:.2f}, cold {none[-1]:.2f}, Knot {bare[-1]:.2f} µs of CPU a query"
            )
        population = self._size.population
        return Report(
            bench="dns",
            figures={
                "cpu_us_per_query": spread(hot, 2),
                "cpu_us_per_query_warming_up": round(first, 2),
                "cpu_us_per_query_cold": spread(none, 2),
                "queries_per_second": spread(rates, 0),
                "hit_rate": round(1 - (_made(ours) - made) / asked, 4),
                "names": population.names,
                "subnets": population.subnets,
                "judged": judged,
            },
            floor={"knot_geoip_cpu_us": spread(bare, 2)},
            ratio={"knot_geoip": ratio_of(bare, hot), "knot_geoip_cold": ratio_of(bare, none)},
        )

    @contextmanager
    def _ours(self, port: int, ready: int) -> Iterator[subprocess.Popen[bytes]]:
        plan = names_server.Plan(self._address, port, self._size.population, ready)
        with serving("benchmarks.names_server", msgspec.json.encode(plan)) as process:
            yield process

    @contextmanager
    def _knot(self) -> Iterator[subprocess.Popen[bytes]]:
        directory, population = self._directory / "knot", self._size.population
        geoip = self._directory / "geo.conf"
        geoip.write_text(population.geoip())
        file = f"config-file: {geoip}"
        more = f"mod-geoip:\n  - id: g\n    {file}\n    ttl: {population.ttl}\n    mode: subnet\n"
        in_zone = "    module: mod-geoip/g\n"
        with knot.serving(directory, self._address, _KNOT_PORT, population.zone, more, in_zone) as process:
            yield process

    def _check(self, port: int) -> None:
        """A few answers must be those that the population says, for the right subnet."""
        population = self._size.population
        for number in range(0, population.subnets, max(population.subnets // 20, 1)):
            name = number % population.names
            query = dns.message.from_wire(population.query(name, number))
            told = dns.query.udp(query, self._address, timeout=2, port=port)
            found = [rdata.to_text() for rrset in told.answer for rdata in rrset]
            if found != [population.address(name, number)]:
                raise Problem(500, f"A wrong answer from port {port}", f"{found} for name {name}, subnet {number}")

    def _round(self, pid: int, port: int, once: bool = False) -> tuple[float, int, float]:
        """CPU microseconds that one query costs the server, queries answered, and answers a second."""
        before = cpu_seconds(pid)
        command = ["dnsperf", "-B", "-d", str(self._queries), "-s", self._address, "-p", str(port)]
        command += ["-n", "1"] if once else ["-l", str(self._size.seconds)]
        command += ["-c", "4", "-q", "200", "-O", "suppress=timeout"]
        told = subprocess.run(command, capture_output=True, text=True, timeout=self._size.seconds + 60)
        used = cpu_seconds(pid) - before
        found = re.search(r"Queries completed: +(\d+)", told.stdout)
        count = int(found[1]) if found else 0
        good = re.search(rf"NOERROR {count} ", told.stdout)
        if not count or not good:
            raise Problem(500, "dnsperf found wrong answers", told.stdout + told.stderr)
        return used / count * 1e6, count, count / self._size.seconds


def _made(process: subprocess.Popen[bytes]) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"made\n")
    process.stdin.flush()
    return int(process.stdout.readline())
