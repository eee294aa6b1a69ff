"""Which flows a change of a rule means."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hanse.drivers.dataplane_nftables.conntrack import Tracked
from hanse.drivers.dataplane_nftables.cutting import unfit
from hanse.drivers.dataplane_nftables.rules import read_rule
from hanse.drivers.dataplane_nftables.ways import Surroundings
from hanse.refpoints.mp2 import Action, Flow, TrafficMatch
from tests.unit.drivers.dataplane_nftables.test_ruleset import HERE, forwarding

ALICE, BOB = "10.64.1.10", "10.64.1.11"
AROUND: Surroundings = HERE


def flow(source: str, protocol: str = "tcp", port: int = 80, target: str = "10.66.0.1") -> Flow:
    known = Flow(rule_id="", protocol=protocol, src_address=source, src_port=4000, dst_address=target, dst_port=port)
    return known if protocol in ("tcp", "udp") else replace(known, src_port=0, dst_port=0)


def left(flows: list[Flow], **match: object) -> list[Flow] | None:
    matches = (TrafficMatch(**match),)  # type: ignore[arg-type]
    wanted = forwarding(1, matches=matches, action=Action.PASSTHROUGH)
    found = unfit([Tracked(1, each, {}) for each in flows], read_rule(wanted, 1, AROUND))
    return None if found is None else [tracked.flow for tracked in found]


def test_only_flows_that_the_rule_describes_no_more_are_unfit() -> None:
    flows = [flow(ALICE), flow(BOB), flow(ALICE, "udp"), flow(ALICE, port=81)]
    assert left(flows, src_address=(ALICE,), protocol=("tcp",), dst_port=("80",)) == flows[1:]
    assert left(flows) == []


def test_addresses_of_one_version_are_not_taken_for_those_of_the_other() -> None:
    six = flow("fd00::10", target="fd00:66::1")
    assert left([six], src_address=("fd00::10", ALICE)) == []
    assert left([six], src_address=(ALICE,)) == [six]


@pytest.mark.parametrize("protocol", ["icmp", "gre", "esp", "253"])
def test_flows_without_ports_are_told_by_addresses_and_protocol(protocol: str) -> None:
    flows = [flow(ALICE, protocol), flow(BOB, protocol), flow(ALICE, "udp")]
    assert left(flows, src_address=(BOB,)) == [flows[0], flows[2]]
    assert left(flows, protocol=(protocol,)) == flows[2:]
    assert left(flows, dst_port=("80",)) == flows[:2]


def test_a_ping_over_ipv6_is_described_by_both_names() -> None:
    six = flow("fd00::10", "ipv6-icmp", target="fd00:66::1")
    assert left([six], dst_address=("fd00:66::1", "10.66.0.1"), protocol=("icmp",)) == []
    assert left([six], dst_address=("fd00:66::1", "10.66.0.1"), protocol=("58", "tcp")) == []
    assert left([six], dst_address=("fd00:66::1", "10.66.0.1"), protocol=("tcp",)) == [six]


def test_what_the_table_of_flows_does_not_know_cannot_be_told() -> None:
    assert left([flow(ALICE)], dscp=46) is None
    assert left([flow("fd00::10", target="fd00:66::1")], protocol=("ah",)) is None
