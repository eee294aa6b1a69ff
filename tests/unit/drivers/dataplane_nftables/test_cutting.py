"""Which flows a change of a rule means."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hanse.drivers.dataplane_nftables.cutting import unfit
from hanse.drivers.dataplane_nftables.rules import read_rule
from hanse.drivers.dataplane_nftables.ways import Surroundings
from hanse.refpoints.mp2 import Flow, TrafficMatch
from tests.unit.drivers.dataplane_nftables.test_ruleset import HERE, forwarding

ALICE, BOB = "10.64.1.10", "10.64.1.11"
AROUND: Surroundings = HERE


def flow(source: str, protocol: str = "tcp", port: int = 80, target: str = "10.66.0.1") -> Flow:
    known = Flow(rule_id="", protocol=protocol, src_address=source, src_port=4000, dst_address=target, dst_port=port)
    return replace(known, src_port=0, dst_port=0) if protocol == "icmp" else known


def left(flows: list[Flow], **match: object) -> list[Flow] | None:
    wanted = forwarding(1, matches=(TrafficMatch(**match),))  # type: ignore[arg-type]
    return unfit(flows, read_rule(wanted, 1, AROUND))


def test_only_flows_that_the_rule_describes_no_more_are_unfit() -> None:
    flows = [flow(ALICE), flow(BOB), flow(ALICE, "udp"), flow(ALICE, port=81)]
    assert left(flows, src_address=(ALICE,), protocol=("tcp",), dst_port=("80",)) == flows[1:]
    assert left(flows) == []


def test_addresses_of_one_version_are_not_taken_for_those_of_the_other() -> None:
    six = flow("fd00::10", target="fd00:66::1")
    assert left([six], src_address=("fd00::10", ALICE)) == []
    assert left([six], src_address=(ALICE,)) == [six]


@pytest.mark.parametrize(("match", "unknown"), [({"src_address": (BOB,)}, True), ({"src_address": (ALICE,)}, False)])
def test_pings_cannot_be_forgotten_one_by_one(match: dict[str, object], unknown: bool) -> None:
    assert left([flow(ALICE, "icmp")], **match) == (None if unknown else [])


def test_what_the_table_of_flows_does_not_know_cannot_be_told() -> None:
    assert left([flow(ALICE)], dscp=46) is None
