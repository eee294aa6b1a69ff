"""Whoever runs a benchmark gets one comparable object, and a failure where a ratio misses its target."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks import dataplane, dns, federated_call, instantiate, mp1_discovery, notifications
from benchmarks.catalogue import BENCHMARKS, Benchmark
from benchmarks.dns_population import Population
from benchmarks.load import Seen
from benchmarks.mp1_discovery import check_refused
from benchmarks.report import Report, Target, missed
from hanse.cli.main import hanse
from hanse.kit.problems import Problem
from tests.bounds import SOON

TINY: dict[str, Callable[[], Report]] = {
    "mp1-discovery": lambda: mp1_discovery.run(print, mp1_discovery.Size(100, 5, 6, 3.0, 1, 0.2, 1)),
    "notifications": lambda: notifications.run(print, notifications.Size(40, 5, 1)),
    "dns": lambda: dns.run(print, dns.Size(Population(5, 40), 400, 1, 1, 500)),
    "instantiate": lambda: instantiate.run(print, instantiate.Size(1)),
    "dataplane": lambda: dataplane.run(print, dataplane.Size(40, 5, 0.3, 1)),
    "federated-call": lambda: federated_call.run(print, federated_call.Size(20, 1024, 1)),
}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_runs_on_real_operators_and_gives_the_object(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lenient = {ratio: Target(bound=1000.0, kind="at most") for ratio in BENCHMARKS[name].targets}
    monkeypatch.setattr(mp1_discovery, "SECONDS_TO_NOTICE", SOON)
    monkeypatch.setitem(BENCHMARKS, name, Benchmark("tiny", lambda _: TINY[name](), lenient))
    told = CliRunner().invoke(hanse, ["bench", name, "--json"])
    assert told.exit_code == 0, told.output
    report: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    assert set(report) == {"bench", "figures", "floor", "ratio"}
    assert report["bench"] == name
    assert all(report["ratio"][ratio] > 0 for ratio in lenient)


def test_a_missed_target_fails_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report(bench="b", figures={}, floor={}, ratio={"r": 1.6})
    bench = Benchmark("b", lambda _: report, {"r": Target(bound=1.5, kind="at most")})
    monkeypatch.setitem(BENCHMARKS, "b", bench)
    told = CliRunner().invoke(hanse, ["bench", "b", "--json"])
    assert told.exit_code == 1
    assert "ratio.r is 1.6, must be at most 1.5" in told.output


@pytest.mark.parametrize(("ratio", "lines"), [(0.8, 0), (0.79, 1), ("not installed", 1)])
def test_a_ratio_that_could_not_be_measured_does_not_pass(ratio: float | str, lines: int) -> None:
    report = Report(bench="b", figures={}, floor={}, ratio={"r": ratio})
    assert len(missed(report, {"r": Target(bound=0.8, kind="at least")})) == lines


@pytest.mark.parametrize(
    "seen",
    [
        Seen(good=9, last_good=99.0),
        Seen(good=9, last_good=101.0, refused=1, first_refused=101.1),
        Seen(good=9, last_good=99.0, refused=1, first_refused=98.0, good_after_refusal=1),
        Seen(refused=1, first_refused=100.0),
    ],
    ids=["never refused", "late", "taken again", "never taken"],
)
def test_a_token_that_lives_on_spoils_the_run(seen: Seen) -> None:
    with pytest.raises(Problem):
        check_refused("the token", seen, 100.0)


def test_an_unknown_benchmark_names_those_that_there_are() -> None:
    told = CliRunner().invoke(hanse, ["bench", "nonsense"])
    assert isinstance(told.exception, Problem)
    assert "mp1-discovery" in told.exception.detail
