"""Counters and live flows stay true while rules come, change and go."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.flows import Admission, FlowTable
from hanse.drivers.dataplane_userspace.listening import listening
from hanse.drivers.dataplane_userspace.rules import read_rule
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, FilterType, Flow, Forwarding, TrafficMatch

HERE = Endpoint("tcp", "127.8.0.1", 80)
DEVICE = ("127.9.0.5", 40000)
WEB = TrafficMatch(dst_address=(HERE.address,), dst_port=("80",), protocol=("tcp",))


@dataclass(eq=False)
class Recorded:
    """A flow that only remembers that it was cut."""

    admission: Admission
    cuts: list[str] = field(default_factory=list)

    @property
    def flow(self) -> Flow:
        return self.admission.flow

    @property
    def target(self) -> tuple[str, int]:
        return self.admission.target

    def retap(self) -> None:
        """Nothing is copied of it."""

    def cut(self) -> None:
        self.cuts.append(self.flow.rule_id)
        self.admission.by.end(self)


def put(table: FlowTable, rule_id: str = "r", match: TrafficMatch = WEB, **changes: object) -> None:
    values: dict[str, object] = {"action": Action.PASSTHROUGH, "to_address": "127.3.0.7", "priority": 9} | changes
    forwarding = Forwarding(rule_id=rule_id, owner="a", filter_type=FilterType.FLOW, matches=(match,), **values)  # type: ignore[arg-type]
    rule = read_rule(forwarding)
    table.put(rule, listening(rule).fixed)


def begin(table: FlowTable, source: tuple[str, int] = DEVICE) -> Recorded | None:
    admission = table.admit(source, HERE)
    if admission is None:
        return None
    passing = Recorded(admission)
    admission.by.begin(passing)
    return passing


def test_a_flow_tells_who_dialled_what_by_which_rule() -> None:
    table = FlowTable(10)
    put(table)
    assert begin(table)
    [flow] = table.flows()
    assert (flow.rule_id, flow.src_address, flow.dst_address, flow.dst_port) == ("r", "127.9.0.5", "127.8.0.1", 80)


def test_the_newest_flow_is_told_last_by_whichever_rule_it_passes() -> None:
    table = FlowTable(100)
    put(table, "first", msgspec.structs.replace(WEB, src_address=("127.9.0.5",)), priority=1)
    put(table, "last", msgspec.structs.replace(WEB, src_address=("127.9.0.6",)), priority=2)
    sources = [("127.9.0.6", 3), ("127.9.0.5", 2), ("127.9.0.5", 1)]
    assert all(begin(table, source) for source in sources)
    assert [(f.src_address, f.src_port) for f in table.flows()] == sources


def test_of_many_flows_of_one_rule_each_is_told_in_its_turn() -> None:
    table = FlowTable(100)
    put(table)
    flows = [begin(table, (DEVICE[0], port)) for port in range(50, 0, -1)]
    assert flows[10]
    flows[10].cut()
    assert [flow.src_port for flow in table.flows()] == [port for port in range(50, 0, -1) if port != 40]


def test_a_changed_priority_cuts_nothing_and_keeps_the_counters() -> None:
    table = FlowTable(10)
    put(table)
    passing = begin(table)
    assert passing
    passing.admission.by.bytes_up = 7
    put(table, priority=0)
    assert not passing.cuts
    assert table.rules()[0].counters().bytes_up == 7


def test_a_changed_target_or_action_cuts_the_flows_of_that_rule_alone() -> None:
    for change in ({"to_address": "127.3.0.8"}, {"action": Action.DROP, "to_address": ABSENT}):
        table = FlowTable(10)
        put(table)
        put(table, "other", msgspec.structs.replace(WEB, src_address=("127.9.0.6",)), priority=1)
        passing, other = begin(table), begin(table, ("127.9.0.6", 1))
        assert passing
        assert other
        put(table, **change)
        assert passing.cuts == ["r"]
        assert not other.cuts


def test_a_removed_rule_cuts_its_flows_and_leaves_later_ones_to_the_next() -> None:
    table = FlowTable(10)
    put(table, "a", priority=0)
    put(table, "b")
    passing = begin(table)
    assert passing
    table.remove("a")
    assert passing.cuts == ["a"]
    later = begin(table)
    assert later
    assert later.flow.rule_id == "b"


def test_refused_flows_count_at_the_rule_that_dropped_them_or_that_listens_there() -> None:
    table = FlowTable(10)
    put(table, match=msgspec.structs.replace(WEB, src_address=("127.9.0.5",)))
    put(table, "d", TrafficMatch(src_address=("127.9.0.7",)), action=Action.DROP, priority=0, to_address=ABSENT)
    assert begin(table, ("127.9.0.6", 1)) is None
    assert begin(table, ("127.9.0.7", 1)) is None
    assert {i.rule.forwarding.rule_id: i.refused for i in table.rules()} == {"r": 1, "d": 1}


def test_more_flows_than_the_machine_should_hold_are_refused_until_one_ends() -> None:
    table = FlowTable(2)
    put(table)
    first = begin(table)
    assert first
    assert begin(table)
    assert begin(table) is None
    assert table.rules()[0].refused == 1
    first.cut()
    assert begin(table)


def test_a_flow_that_would_come_back_here_is_refused_and_does_not_go_round() -> None:
    table = FlowTable(10)
    put(table, match=TrafficMatch(dst_port=("80",), protocol=("tcp",)), to_port=81)
    put(table, "back", TrafficMatch(dst_port=("81",)), action=Action.PASSTHROUGH, to_address=HERE.address, priority=0)
    back = Endpoint("tcp", HERE.address, 81)
    assert table.admit(DEVICE, back) is None
    assert {i.rule.forwarding.rule_id: i.refused for i in table.rules()} == {"r": 0, "back": 1}
    assert begin(table)


def test_a_rule_for_every_address_and_one_for_a_single_one_are_asked_by_priority() -> None:
    for first, other in (("all", "one"), ("one", "all")):
        table = FlowTable(10)
        everywhere = TrafficMatch(dst_port=("80",), protocol=("tcp",))
        put(table, "all", everywhere, to_port=81, priority=1 if first == "all" else 2)
        put(table, "one", priority=1 if first == "one" else 2)
        taken = begin(table)
        assert taken
        assert taken.flow.rule_id == first
        table.remove(first)
        left = begin(table)
        assert left
        assert left.flow.rule_id == other


def test_a_rule_for_all_ports_takes_what_it_describes_where_others_listen() -> None:
    table = FlowTable(10)
    put(table)
    put(table, "d", TrafficMatch(dst_address=(HERE.address,)), to_address="127.3.0.8", priority=0)
    taken = begin(table)
    assert taken
    assert (taken.flow.rule_id, taken.target) == ("d", ("127.3.0.8", 80))


def test_what_is_refused_at_every_address_counts_at_the_rule_that_listens_there() -> None:
    table = FlowTable(10)
    put(table, match=TrafficMatch(src_address=("127.9.0.6",), dst_port=("80",), protocol=("tcp",)), to_port=81)
    assert begin(table) is None
    assert table.rules()[0].refused == 1


def test_a_rule_that_comes_to_listen_elsewhere_keeps_what_passes() -> None:
    table = FlowTable(10)
    put(table)
    passing = begin(table)
    assert passing
    elsewhere = Endpoint("tcp", HERE.address, 81)
    table.listen("r", frozenset({elsewhere}))
    assert not passing.cuts
    assert table.admit(("127.9.0.9", 1), elsewhere) is None
    assert table.rules()[0].refused == 1, "it is counted where it listens now"
    table.remove("r")
    assert passing.cuts


def test_where_no_rule_is_left_a_flow_is_refused() -> None:
    assert FlowTable(10).admit(DEVICE, HERE) is None


def test_rules_are_told_in_their_order_after_every_change() -> None:
    table = FlowTable(10)

    def order() -> list[str]:
        return [installed.rule.forwarding.rule_id for installed in table.rules()]

    put(table, "b", priority=5)
    put(table, "c", priority=5)
    assert order() == ["b", "c"]
    put(table, "a", priority=7)
    assert order() == ["b", "c", "a"]
    put(table, "a", priority=1)
    assert order() == ["a", "b", "c"]
    table.remove("b")
    assert order() == ["a", "c"]
    table.rules().clear()
    assert order() == ["a", "c"]
