"""``dataplane``: throughput through rules, against the same links without them.

nftables: a device sends to an application through an access network and the plane. The floor is the same namespaces and
links with neither rules nor connection tracking. User space: the same two ends through the relay, against a direct
loopback socket. For each plane 10,000 rules are held against 10, for bytes of one flow and for new flows; of these the
CPU seconds, of both ends where the kernel sorts their packets, of the relay in user space. Rounds are short and
alternate, every other one backwards; a ratio is the median of those of the rounds, ``rules_10000_to_10`` the lower one
of both planes. Throughput says something on a quiet machine only; ``nftables_rule_free_by_cpu`` also on a busy one.

What rules cost a packet of a known flow in the kernel: CPU milliseconds for a gigabyte in packets of 64 KiB, which are
27,000 both ways, as perf(1) samples the kernel's functions on a busy machine (``perf record -e cpu-clock``; three runs
each), beside about 780 of the same links without rules:

===========================  ====  ===========================================================================
part                           ms  what it is
===========================  ====  ===========================================================================
chains, as they were first     27  six hooks, five lookups: `lead` and those of frames were always there
chains, as they are            12  one hook that sorts, one lookup that counts; both of translation are empty
connection tracking            13  finding the flow and following its TCP; what the chains decide by
translation of addresses        8  of two of them, with checksums; what hides devices and plane from each other
calling more hooks              2
===========================  ====  ===========================================================================

So 0.94 became 0.957 of the floor by this account. What is left below are connection tracking and translation, which
only a flow table would pass by; not every kernel has one (CONFIG_NF_FLOW_TABLE). So packets became fewer: links carry
those of 192 KiB (`drivers/dataplane_nftables/large.py`), the floor's too. Of both the throughput in the same run, and
the ratio, three runs of ten rounds each:

======================  =============  ==========  ==========================================
largest packet          without, GB/s  with, GB/s  ``nftables_rule_free``
======================  =============  ==========  ==========================================
64 KiB                  2.58           2.37        0.90, 0.94, 0.96
127 KiB                 2.54           2.66        0.94, 0.98, 1.02
192 KiB                 2.71           2.70        0.99, 1.00, 1.01
384 KiB                 2.54           2.39        0.94, 0.96, 0.97 (the ends leave the cache)
======================  =============  ==========  ==========================================

What was tried in the relay (CPU seconds of it for a gigabyte, on two busy cores): asyncio's protocols and transports
0.69; sockets read into one buffer of 64 KiB 0.92, of 256 KiB 0.66; moved by splice(2) through a pipe of 256 KiB 0.45,
of 1 MiB 0.27, which is what is done now. Threads cannot help where both ends and the relay share two cores. UDP goes
datagram by datagram: each flow has a socket of its own, and batches (`hanse.kit.datagrams`) of one flow are small.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from benchmarks import relay, stream
from benchmarks.forwardings import APP, PORT, VIRTUAL, forwarding, relayed, site
from benchmarks.processes import loaded, serving
from benchmarks.report import ROUNDS, Report, Target, Tell, spread
from hanse.drivers.dataplane_nftables import NftablesDataPlane

TARGETS = {
    "nftables_rule_free": Target(bound=0.95, kind="at least"),
    "rules_10000_to_10": Target(bound=0.90, kind="at least"),
    "new_flows_10000_to_10": Target(bound=0.90, kind="at least"),
    "userspace_new_flows_10000_to_10": Target(bound=0.90, kind="at least"),
    "userspace_direct": Target(bound=0.55, kind="at least"),
}
_LOOP = f"127.{200 + os.getpid() % 50}.{os.getpid() // 50 % 256}"
PLANES = ("few", "many", "relayed", "relayed_many")
_Sent = dict[str, list[float]]


class Size(msgspec.Struct, frozen=True):
    """How large a run is."""

    rules: int = 10_000
    few: int = 10
    seconds: float = 0.6
    rounds: int = 3 * ROUNDS


def run(tell: Tell, size: Size | None = None) -> Report:
    """Measure and compare."""
    return _Bench(size or Size(), tell).run()


class _Bench:
    def __init__(self, size: Size, tell: Tell) -> None:
        self._size, self._tell = size, tell
        self._ends: dict[str, tuple[str, str, int, int]] = {}
        self._bytes: _Sent = {}
        self._cpu: _Sent = {}
        self._flows: _Sent = {}

    def run(self) -> Report:
        with ExitStack() as stack:
            stack.enter_context(self._loopback())
            for name, rules in (("free", 0), ("few", self._size.few), ("many", self._size.rules)):
                stack.enter_context(self._site(name, rules))
            for number in range(self._size.rounds):
                self._round(backwards=bool(number % 2))
                told = ", ".join(f"{name} {found[-1]:.2f}" for name, found in self._bytes.items())
                self._tell(f"round {number + 1}: GB/s {told}")
        return self._report()

    def _round(self, *, backwards: bool) -> None:
        """None of two that are compared always comes after the same other."""
        turn = -1 if backwards else 1
        for name, (space, address, port, pid) in list(self._ends.items())[::turn]:
            plan = stream.Plan("source", address, port, space, self._size.seconds)
            used, result = _loaded(plan, pid)
            self._bytes.setdefault(name, []).append(result.done / result.seconds / 1e9)
            self._cpu.setdefault(name, []).append((used + result.cpu) / (result.done / 1e9))
        for name in PLANES[::turn]:
            space, address, port, pid = self._ends[name]
            plan = stream.Plan("dialler", address, port, space, self._size.seconds)
            used, result = _loaded(plan, pid)
            both = used + (result.cpu if space else 0)
            self._flows.setdefault(name, []).append(both / result.done * 1e6)

    def _report(self) -> Report:
        throughput = {name: spread(found) for name, found in self._bytes.items()}
        return Report(
            bench="dataplane",
            figures={
                "gigabytes_per_second": {name: throughput[name] for name in PLANES},
                "cpu_us_per_new_flow": {name: spread(found, 1) for name, found in self._flows.items()},
                "cpu_seconds_per_gigabyte": {name: spread(found) for name, found in self._cpu.items()},
                "rules": {"few": self._size.few, "many": self._size.rules},
            },
            floor={"gigabytes_per_second": {name: throughput[name] for name in ("free", "direct")}},
            ratio=self._ratios(),
        )

    def _ratios(self) -> dict[str, float | str]:
        kernel = _paired(self._bytes["many"], self._bytes["few"])
        userspace = _paired(self._bytes["relayed_many"], self._bytes["relayed"])
        return {
            "nftables_rule_free": _paired(self._bytes["few"], self._bytes["free"]),
            "nftables_rule_free_by_cpu": _paired(self._cpu["free"], self._cpu["few"]),
            "rules_10000_to_10": min(kernel, userspace),
            "nftables_rules_10000_to_10": kernel,
            "userspace_rules_10000_to_10": userspace,
            "new_flows_10000_to_10": _paired(self._flows["few"], self._flows["many"]),
            "userspace_new_flows_10000_to_10": _paired(self._flows["relayed"], self._flows["relayed_many"]),
            "userspace_direct": _paired(self._bytes["relayed"], self._bytes["direct"]),
        }

    @contextmanager
    def _site(self, name: str, rules: int) -> Iterator[None]:
        """A host with some rules, one of which takes the flow; with none it has no table either."""
        plane = NftablesDataPlane(site(f"bench-{os.getpid()}-{name}"))
        try:
            asyncio.run(_made(plane, rules))
            plan = stream.Plan("sink", APP, PORT, plane.site.home_space)
            with serving("benchmarks.stream", msgspec.json.encode(plan)) as sink:
                device = plane.site.device_space("device")
                self._ends[name] = (device, VIRTUAL if rules else APP, PORT, sink.pid)
                yield
        finally:
            asyncio.run(plane.ground.clear())

    @contextmanager
    def _loopback(self) -> Iterator[None]:
        """A sink on loopback, and two relays before it, one with few rules and one with many."""
        sink_plan = stream.Plan("sink", f"{_LOOP}.3", PORT)
        with ExitStack() as stack:
            sink = stack.enter_context(serving("benchmarks.stream", msgspec.json.encode(sink_plan)))
            self._ends["direct"] = ("", f"{_LOOP}.3", PORT, sink.pid)
            for n, (name, rules) in enumerate((("relayed", self._size.few), ("relayed_many", self._size.rules))):
                virtual = f"{_LOOP}.{10 + n}"
                plan = relay.Plan(f"{_LOOP}.{1 + n}", relayed(virtual, f"{_LOOP}.3", rules))
                relaying = stack.enter_context(serving("benchmarks.relay", msgspec.json.encode(plan)))
                self._ends[name] = ("", virtual, PORT, relaying.pid)
            yield


async def _made(plane: NftablesDataPlane, rules: int) -> None:
    if rules:
        await plane.start()
    else:
        await plane.ground.make()
    await plane.ground.attach("device", "cells", ("10.64.1.10/24",))
    if rules:
        others = [forwarding(f"r{n}", f"10.70.{n // 250}.{n % 250 + 1}", APP) for n in range(rules - 1)]
        every = [*others, forwarding("measured", VIRTUAL, APP)]
        await asyncio.gather(*(plane.install(rule.rule_id, rule) for rule in every))


def _loaded(plan: stream.Plan, pid: int) -> tuple[float, stream.Result]:
    used, answer = loaded("benchmarks.stream", msgspec.json.encode(plan), pid)
    return used, msgspec.json.decode(answer, type=stream.Result)


def _paired(above: list[float], below: list[float]) -> float:
    """The median of the ratios of the rounds: what disturbs a round disturbs both its halves."""
    return round(statistics.median(a / b for a, b in zip(above, below, strict=True)), 3)
