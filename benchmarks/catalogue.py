"""The benchmarks that there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import dataplane, dns, federated_call, instantiate, mp1_discovery, notifications
from benchmarks.report import Report, Target, Tell


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: what it compares in one line, how it is run, and what it must reach."""

    summary: str
    run: Callable[[Tell], Report]
    targets: dict[str, Target]


BENCHMARKS = {
    "dataplane": Benchmark("bytes through traffic rules, against links without any", dataplane.run, dataplane.TARGETS),
    "dns": Benchmark("answers by client subnet, against Knot with mod-geoip", dns.run, dns.TARGETS),
    "instantiate": Benchmark(
        "from the request to STARTED, against the bare steps", instantiate.run, instantiate.TARGETS
    ),
    "federated-call": Benchmark(
        "a call through two operators, against two bare TLS hops", federated_call.run, federated_call.TARGETS
    ),
    "notifications": Benchmark(
        "one change told to 1,000 subscribers, against a bare poster", notifications.run, notifications.TARGETS
    ),
    "mp1-discovery": Benchmark(
        "looking up services over Mp1, against a bare handler", mp1_discovery.run, mp1_discovery.TARGETS
    ),
}
